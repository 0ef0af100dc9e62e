// Flags are taken apart and their values read as those of troupe itself are, so that what is wrong
// is answered in the same words.
#include "tools/make_model/program.hpp"

#include "app/command_line.hpp"
#include "app/option_values.hpp"
#include "app/progress.hpp"
#include "config/declaring.hpp"
#include "tools/make_model/make_model.hpp"
#include "tools/make_model/shapes.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ostream>

namespace troupe {
namespace {

using std::chrono::steady_clock;

/// What can be written behind the program's name.
struct flag_values {
  std::string shape;
  std::string out;
  std::uint64_t seed = 0;
  dtype type = dtype::bf16;
  byte_count shards = 5'000'000'000;
  std::uint32_t layers = 0;
  bool force = false;
  std::uint32_t threads = 0;
};

struct flag_tables {
  flag_values make;
};

std::vector<option_group_of<flag_tables>> groups() {
  using f = flag_values;
  declaring<flag_tables, f> group("make", "what is made", &flag_tables::make);
  group.text("shape", &f::shape, "the public model whose shape it has: one of those below");
  group.text("out", &f::out, "the folder to make");
  group.count("seed", &f::seed, {0, UINT64_MAX}, "of the weights: the same seed, the same bytes");
  group.choice("dtype", &f::type, {"f32", "f16", "bf16"}, "of the weights");
  group.size("shards", &f::shards, {1, UINT64_MAX}, "of tensors in one file, at most");
  group.count("layers", &f::layers, {0, 1024}, "only so many of the shape's layers; 0: all");
  group.boolean("force", &f::force, "write over a model that is in the folder");
  group.count("threads", &f::threads, {0, 1024}, "that make and write; 0: one for each core");
  return {group.take()};
}

verb this_program() { return {"make_model", "", "", {}, shown(groups()), {}}; }

std::string written(const option_form& which) {
  switch (which.kind) {
  case option_kind::boolean:
    return which.dashed();
  case option_kind::count:
    return which.dashed() + " N";
  case option_kind::size:
    return which.dashed() + " SIZE";
  default:
    return which.dashed() + (which.choices.empty() ? " TEXT" : " CHOICE");
  }
}

std::string help() {
  std::string text = "make_model writes a model folder of random weights in the shape of a public "
                     "model, with a\ntokenizer of bytes, for troupe and others to load.\n\n"
                     "usage: make_model --shape NAME --out DIR [FLAGS]\n"
                     "example: make_model --shape llama-3.2-1b --out /tmp/llama-1b\n\n";
  for (const shown_group& group : this_program().groups)
    for (const auto& [form, standard] : group.options)
      text += fmt::format("  {:<16} {}{}\n", written(form), form.help,
                          standard.empty() ? "" : " [" + standard + "]");
  text += "\nshapes:\n";
  for (const model_shape& each : all_shapes())
    text += fmt::format("  {:<13} {:>6.2f} billion parameters, {} layers\n", each.name,
                        static_cast<double>(count_elements(parameters_of(each.model))) / 1e9,
                        each.model.layers);
  return text;
}

make_options options_of(flag_values&& given) {
  make_options out;
  out.shape = std::move(given.shape);
  out.out = std::move(given.out);
  out.seed = given.seed;
  out.type = given.type;
  out.shard_bytes = given.shards;
  if (given.layers > 0) out.layers = static_cast<std::int32_t>(given.layers);
  out.force = given.force;
  out.threads = static_cast<int>(given.threads);
  return out;
}

void make(const make_options& options, std::ostream& out, std::ostream& err,
          std::optional<std::size_t> columns) {
  const auto begin = steady_clock::now();
  std::optional<progress> bar;
  const auto show = [&](std::uint64_t done, std::uint64_t total) {
    if (!columns) return;
    if (!bar) {
      bar.emplace(progress::on_terminal(err, *columns));
      bar->begin("weights", total, begin);
    }
    bar->advance(done, steady_clock::now());
  };
  const made_model made = make_model(options, show);
  if (bar) bar->finish(steady_clock::now());
  const std::chrono::duration<double> taken = steady_clock::now() - begin;
  const auto bytes = static_cast<double>(made.bytes);
  out << fmt::format("{}: {}, {} parameters, {:.2f} GB of weights in {} {}, {:.1f} s ({:.2f} "
                     "GB/s)\n",
                     options.out.string(), options.shape, made.parameters, bytes / 1e9, made.files,
                     made.files == 1 ? "file" : "files", taken.count(),
                     bytes / 1e9 / taken.count());
}

} // namespace

int run_make_model(const std::vector<std::string>& words, std::ostream& out, std::ostream& err,
                   std::optional<std::size_t> columns) {
  const command_line line = read_command_line(this_program(), words);
  if (line.help) {
    out << help();
    return 0;
  }
  auto errors = line.errors;
  flag_values given = read_options(groups(), line, errors).make;
  if (errors.empty() && given.shape.empty()) errors.push_back("--shape: names no shape");
  if (errors.empty() && given.out.empty()) errors.push_back("--out: names no folder");
  if (!errors.empty()) {
    for (const std::string& each : errors) err << each << '\n';
    err << "make_model --help shows how it is used\n";
    return 2;
  }
  try {
    make(options_of(std::move(given)), out, err, columns);
    return 0;
  } catch (const std::invalid_argument& problem) {
    err << "make_model: " << problem.what() << '\n';
    return 2;
  } catch (const std::exception& problem) {
    err << "make_model: " << problem.what() << '\n';
    return 1;
  }
}

} // namespace troupe
