#include "app/bench/serve_options.hpp"

#include "app/option_values.hpp"
#include "config/declaring.hpp"
#include "transport/http/server_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace troupe {
namespace {

using options = bench_serve_options;
using group = option_group_of<options>;

constexpr std::uint32_t most_requests = 10'000'000;
constexpr std::uint32_t most_tokens = 1U << 24U;
constexpr double fastest = 1e6;
constexpr milliseconds shortest_timeout{100};
constexpr milliseconds longest_timeout{86'400'000};

group server_group() {
  using g = bench_server;
  declaring made("server", "what is measured", &options::server);
  made.text("url", &g::url, "where it is; a path before /v1 may follow").argument =
      "http://HOST[:PORT]";
  made.text("model", &g::model, "which of its models; empty: the first that it names").argument =
      "NAME";
  made.choice("endpoint", &g::endpoint, {"completions", "chat"}, "completions or chat");
  option_of<options>& key =
      made.text("api_key", &g::api_key, "sent with each request; or in OPENAI_API_KEY");
  key.argument = "KEY";
  key.secret = true;
  made.repeated("header", &g::headers, "sent with each request; may be given several times")
      .argument = "\"NAME: VALUE\"";
  made.duration("timeout", &g::timeout, {shortest_timeout, longest_timeout},
                "of a request, from its sending to its last byte");
  return made.take();
}

group load_group() {
  using g = bench_load;
  declaring made("load", "how many requests, and when", &options::load);
  made.count("requests", &g::requests, {0, most_requests}, "to measure; 0: 100, or all of a trace");
  made.count("concurrency", &g::concurrency, {0, 100'000}, "most at once; 0: no limit");
  made.fraction("rate", &g::rate, 0, fastest,
                "of arrivals, a second in the mean; 0: all are due at once");
  made.fraction("burstiness", &g::burstiness, 0.001, 1000,
                "shape of the gamma distribution of the gaps between arrivals; 1: a Poisson "
                "process, less: in bursts, more: steadier");
  made.count("warmup", &g::warmup, {0, most_requests}, "requests before the measurement");
  made.count("seed", &g::seed, {0, std::numeric_limits<std::uint64_t>::max()},
             "of prompts, lengths and arrivals; 0: another each time");
  return made.take();
}

group lengths_group() {
  using g = bench_lengths;
  declaring made("lengths", "in tokens", &options::lengths);
  made.count("input", &g::input, {1, most_tokens}, "of a prompt, behind its prefix");
  made.count("output", &g::output, {1, most_tokens}, "of an answer");
  made.fraction("range_ratio", &g::range_ratio, 0, 1, "R: both are drawn from n(1-R) to n(1+R)")
      .argument = "R";
  made.count("prefix_tokens", &g::prefix_tokens, {0, most_tokens},
             "before each prompt, the same before many");
  made.count("prefixes", &g::prefixes, {1, most_requests}, "different prefixes");
  return made.take();
}

group trace_group() {
  using g = bench_trace;
  declaring made("trace", "recorded arrivals and lengths instead", &options::trace);
  option_of<options>& file = made.text("file", &g::file, "Azure's CSV or Mooncake's JSON lines");
  file.flag = "trace";
  file.argument = "FILE";
  made.fraction("speed", &g::speed, 0.001, fastest, "times faster than it was recorded").flag =
      "trace-speed";
  made.fraction("scale", &g::scale, 0.0001, 1000, "times its lengths").flag = "trace-scale";
  return made.take();
}

group bodies_group() {
  using g = bench_bodies;
  declaring made("bodies", "what requests say", &options::bodies);
  made.boolean("text", &g::text, "prompts of words, not of token ids; a chat's always are");
  made.count("vocabulary", &g::vocabulary, {0, most_tokens},
             "the size of the model's, for prompts of ids; 0: ask the server");
  made.boolean("ignore_eos", &g::ignore_eos, "have answers go on to their full length");
  option_of<options>& extra = made.text("extra", &g::extra, "further fields of each request");
  extra.flag = "extra-body";
  extra.argument = "JSON";
  return made.take();
}

group results_group() {
  using g = bench_results;
  declaring made("results", "what is told", &options::results);
  made.text("goodput", &g::goodput, "limits in ms that a good answer keeps, any of the three")
      .argument = "ttft:500,tpot:30,e2el:9000";
  made.text("json", &g::json, "write all numbers here; -: standard output").argument = "FILE";
  made.boolean("per_request", &g::per_request, "and those of each request");
  return made.take();
}

/// A header's name, a colon and a value; the name is none of those that the client itself writes.
bool is_header(const std::string& text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  constexpr std::array<std::string_view, 5> ours{"host", "content-length", "content-type",
                                                 "connection", "transfer-encoding"};
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string name = text.substr(0, colon);
  for (char& c : name) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!capital && !plain && marks.find(c) == std::string_view::npos) return false;
    if (capital) c = static_cast<char>(c - 'A' + 'a');
  }
  return std::find(ours.begin(), ours.end(), name) == ours.end();
}

class checker {
 public:
  checker(const command_line& line, std::vector<std::string>& errors)
      : line_(line), errors_(errors) {}

  /// Refuses each of the flags that is given, unless `allowed`.
  void unless(bool allowed, std::initializer_list<std::string_view> flags, std::string_view why) {
    if (allowed) return;
    for (const command_line::setting& each : line_.settings)
      if (std::find(flags.begin(), flags.end(), each.flag) != flags.end())
        errors_.push_back(fmt::format("{}: {}", each.flag, why));
  }
  template <class Attempt>
  void attempt(std::string_view flag, Attempt run) {
    try {
      run();
    } catch (const std::exception& problem) {
      errors_.push_back(fmt::format("{}: {}", flag, problem.what()));
    }
  }

 private:
  const command_line& line_;
  std::vector<std::string>& errors_;
};

} // namespace

std::vector<group> bench_serve_groups() {
  return {server_group(), load_group(),   lengths_group(),
          trace_group(),  bodies_group(), results_group()};
}

bench_serve_options read_bench_serve(const command_line& line,
                                     const environment_variables& variables,
                                     std::vector<std::string>& errors,
                                     std::vector<std::string>& warnings) {
  errors.insert(errors.end(), line.errors.begin(), line.errors.end());
  options out = read_options(bench_serve_groups(), line, errors);
  checker check(line, errors);
  const bool traced = !out.trace.file.empty();
  check.unless(!traced,
               {"--rate", "--burstiness", "--input", "--output", "--range-ratio", "--prefix-tokens",
                "--prefixes"},
               "is not used with --trace, which has its own");
  check.unless(traced, {"--trace-speed", "--trace-scale"}, "needs --trace");
  check.unless(traced || out.load.rate > 0, {"--burstiness"}, "needs --rate");
  check.unless(traced || out.lengths.prefix_tokens > 0, {"--prefixes"}, "needs --prefix-tokens");
  check.unless(out.bodies.vocabulary == 0 ||
                   (!out.bodies.text && out.server.endpoint == bench_endpoint::completions),
               {"--vocabulary"}, "is not used where prompts are words");
  check.unless(!out.results.json.empty(), {"--per-request"}, "needs --json");
  check.attempt("--url", [&] { parse_server_address(out.server.url); });
  check.attempt("--goodput", [&] { parse_goodput(out.results.goodput); });
  check.attempt("--extra-body", [&] {
    request_writer({bench_endpoint::completions, "", true, out.bodies.extra},
                   prompt_writer::of_words(0));
  });
  for (const std::string& each : out.server.headers)
    if (!is_header(each))
      errors.push_back(fmt::format("--header: {} is not of the form \"Name: value\", or a header "
                                   "that the client writes itself",
                                   printable_in_quotes(each, 80)));
  if (!out.server.api_key.empty())
    warnings.push_back("--api-key: a secret on the command line is visible to every user of this "
                       "machine; use the variable OPENAI_API_KEY");
  else
    for (const auto& [name, value] : variables)
      if (name == "OPENAI_API_KEY" && !has_control(value)) out.server.api_key = value;
  return out;
}

} // namespace troupe
