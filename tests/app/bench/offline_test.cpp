// `bench offline`: its words, and a measurement of the demo model, of which is held what must hold
// on any machine.
#include "app/bench/offline.hpp"
#include "app/bench/offline_clients.hpp"
#include "tests/app/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace troupe {
namespace {

const std::string demo_model = TROUPE_SOURCE "/examples/models/concierge";
constexpr yardstick_sizes small{.copy_bytes = 1 << 20,
                                .matrix_side = 64,
                                .most_rows = 64,
                                .sample = std::chrono::milliseconds(1),
                                .samples = 1};

struct measured {
  int status = -1;
  std::string out;
  std::string err;
};

settings demo_settings() {
  settings out;
  out.model.path = demo_model;
  out.engine.kv_memory = 64 * mib;
  out.engine.threads = 2;
  out.engine.pin_threads = false;
  return out;
}

measured measure(const bench_offline_options& wanted, const settings& chosen = demo_settings()) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = run_bench_offline(wanted, chosen, out, err, small);
  return {status, out.str(), err.str()};
}

bench_offline_options with_load(std::uint32_t requests, std::uint32_t concurrency,
                                std::uint32_t input, std::uint32_t output) {
  bench_offline_options out;
  out.load = {requests, concurrency, input, output, false, 5};
  out.results.json = "-";
  return out;
}

TEST(BenchOffline, TakesALoadAndTheEnginesSettings) {
  const outcome result =
      run({"bench", "offline", "m", "--requests", "7", "--concurrency", "3", "--input", "20",
           "--output", "30", "--no-warmup", "--seed", "9", "--json", "-", "--max-sequences", "64"});
  ASSERT_TRUE(result.bench_offline) << result.err;
  EXPECT_EQ(result.bench_offline->load, (bench_offline_load{7, 3, 20, 30, false, 9}));
  EXPECT_EQ(result.bench_offline->results.json, "-");
  EXPECT_EQ(result.served->model.path, "m");
  EXPECT_EQ(result.served->engine.max_sequences, 64U);
}

TEST(BenchOffline, SaysWhatIsWrongWithItsWords) {
  EXPECT_EQ(run({"bench", "offline"}).err.find("MODEL: none is given"), 0U);
  EXPECT_EQ(run({"bench", "offline", "m", "--output", "0"}).err,
            "--output: \"0\" is out of range; it takes 1 to 16777216\n");
  EXPECT_NE(run({"bench", "offline", "m", "--port", "80"}).err.find("has no such flag"),
            std::string::npos);
  EXPECT_EQ(run({"bench", "offline", "m", "--output", "0"}).status, exit_usage);
}

TEST(BenchOffline, MeasuresEveryTokenOfTheDemoModel) {
  for (const std::uint32_t concurrency : {1U, 4U, 0U}) {
    const measured result = measure(with_load(9, concurrency, 40, 12));
    ASSERT_EQ(result.status, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json.at("total_output_tokens"), 9 * 12);
    EXPECT_EQ(json.at("total_input_tokens"), 9 * 40);
    EXPECT_EQ(json.at("places"), concurrency == 0 ? 9 : concurrency);
    for (const char* share : {"share_device", "share_gap", "share_scheduler", "occupancy"}) {
      EXPECT_GE(json.at(share), 0) << share;
      EXPECT_LE(json.at(share), 1) << share;
    }
    EXPECT_GT(json.at("share_device"), 0);
    EXPECT_LE(json.at("share_device").get<double>() + json.at("share_gap").get<double>(), 1.001);
    const double steps = json.at("steps");
    EXPECT_GE(steps, 12);
    EXPECT_DOUBLE_EQ(json.at("tokens_per_step"), 9 * 12 / steps);
    // Every token but an answer's last is a row; what is planned beyond an end is one row each.
    const double rows = json.at("rows_per_step").get<double>() * steps;
    EXPECT_GE(rows, 9 * (40 + 11) - 0.001);
    EXPECT_LE(rows, 9 * (40 + 12) + 0.001);
    EXPECT_GT(json.at("roofline_fraction"), 0);
    EXPECT_LE(json.at("mean_ttft_ms"), json.at("mean_e2el_ms"));
    EXPECT_LE(json.at("max_ttft_ms"), json.at("duration").get<double>() * 1000);
  }
}

TEST(BenchOffline, TellsPeopleWhatItTellsPrograms) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("troupe_offline_{}.json", getpid());
  bench_offline_options wanted = with_load(3, 2, 20, 5);
  wanted.results.json = file.string();
  const measured result = measure(wanted);
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(std::ifstream(file));
  std::filesystem::remove(file);
  const auto number = [&](const char* name) { return json.at(name).get<double>(); };
  for (const std::string& line :
       {fmt::format("\ntokens out  {}: {:.2f} a second\n", 15, number("output_throughput")),
        fmt::format("{:>12.2f}{:>10.1f} %\n", number("total_step_device_s"),
                    number("share_device") * 100),
        fmt::format("\nsteps       {}, of {:.1f} rows\n", json.at("steps").get<int>(),
                    number("rows_per_step")),
        fmt::format("({:.1f} %); 0 preemptions\n", number("occupancy") * 100),
        fmt::format(": {:.2f} tokens out a second\n", number("roofline_output_throughput")),
        fmt::format("\nreached     {:.1f} %\n", number("roofline_fraction") * 100)})
    EXPECT_NE(result.out.find(line), std::string::npos) << line << "in\n" << result.out;
}

TEST(BenchOffline, WarmsUpWithoutCountingIt) {
  bench_offline_options wanted = with_load(2, 2, 20, 4);
  wanted.load.warmup = true;
  const measured result = measure(wanted);
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("total_output_tokens"), 8);
  EXPECT_EQ(json.at("total_cached_tokens"), 0); // of other prompts than those of the warm-up
  EXPECT_LE(json.at("steps"), 2 * 5);
}

TEST(BenchOffline, PreemptsWhereTheCacheIsTooSmallAndStillEndsEveryAnswer) {
  settings chosen = demo_settings();
  chosen.engine.kv_memory = 2 * mib; // 256 tokens of 8 KiB
  const measured result = measure(with_load(8, 8, 30, 100), chosen);
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("total_output_tokens"), 800);
  EXPECT_EQ(json.at("places"), 3); // of 80 tokens each, in the mean
  EXPECT_GT(json.at("preemptions"), 0);
}

TEST(BenchOffline, RefusesMoreTokensThanTheModelTakes) {
  const measured result = measure(with_load(1, 1, 2000, 49));
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "troupe bench offline: --input and --output are 2049 tokens together; 2048 "
                        "are the most that this model is set to take\n");
}

TEST(BenchOffline, SaysBeforeItMeasuresThatAFileCannotBeWritten) {
  bench_offline_options wanted = with_load(1, 1, 10, 1);
  wanted.results.json = "/nowhere/at/all.json";
  EXPECT_EQ(measure(wanted).err, "troupe bench offline: /nowhere/at/all.json: cannot be written\n");
}

TEST(OfflinePrompts, AreTheSameForTheSameSeedAndInsideTheVocabulary) {
  offline_work work{10, 1, 200, 1, 50, 3};
  const token_ids first = offline_prompt(work, 4);
  EXPECT_EQ(first.size(), 200U);
  EXPECT_GE(std::ranges::min(first), 0);
  EXPECT_EQ(std::ranges::max(first), 49); // drawn often enough to come near the end
  EXPECT_EQ(offline_prompt(work, 4), first);
  EXPECT_NE(offline_prompt(work, 5), first);
  work.seed = 4;
  EXPECT_NE(offline_prompt(work, 4), first);
}

} // namespace
} // namespace troupe
