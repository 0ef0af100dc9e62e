#include "app/bench/offline_options.hpp"

#include "app/option_values.hpp"
#include "config/declaring.hpp"

namespace troupe {
namespace {

constexpr std::uint32_t most_requests = 10'000'000;
constexpr std::uint32_t most_tokens = 1U << 24U;

} // namespace

std::vector<option_group_of<bench_offline_options>> bench_offline_groups() {
  using l = bench_offline_load;
  declaring load("load", "how much", &bench_offline_options::load);
  load.count("requests", &l::requests, {1, most_requests}, "to measure");
  load.count("concurrency", &l::concurrency, {0, 100'000}, "at once; 0: all");
  load.count("input", &l::input, {1, most_tokens}, "tokens of a prompt, drawn from the vocabulary");
  load.count("output", &l::output, {1, most_tokens}, "tokens of an answer");
  load.boolean("warmup", &l::warmup, "one round of short answers before, not measured");
  load.count("seed", &l::seed, {0, UINT64_MAX}, "of the prompts");
  using r = bench_offline_results;
  declaring results("results", "what is told", &bench_offline_options::results);
  results.text("json", &r::json, "a file for all numbers; -: standard output");
  return {load.take(), results.take()};
}

bench_offline_options read_bench_offline(const command_line& line,
                                         std::vector<std::string>& errors) {
  return read_options(bench_offline_groups(), line, errors);
}

} // namespace troupe
