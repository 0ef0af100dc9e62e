// A GPU that fails for good takes everything on it along. The engine dies with it, the next one
// brings the model to the device anew, and nobody outside sees more than a pause.
#include "app/company.hpp"
#include "tests/model/forwarding_backend.hpp"
#include "tests/system/faulty_device.hpp"
#include "tests/system/slim_model.hpp"
#include "transport/http/client.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <future>

namespace troupe {
namespace {

/// What happened to all devices of a test.
struct device_lives {
  std::atomic<int> made = 0;
  std::atomic<int> alive = 0;
  std::atomic<int> most_alive = 0;
  std::atomic<int> steps = 0;
  std::atomic<int> breaks_in_step = 0; ///< 0: never
};

class mortal_device : public testing::forwarding_backend {
 public:
  explicit mortal_device(device_lives& lives)
      : forwarding_backend(make_faulty_device()), lives_(lives) {
    ++lives_.made;
    lives_.most_alive = std::max<int>(lives_.most_alive, ++lives_.alive);
  }
  ~mortal_device() override { --lives_.alive; }

  void embed(matrix out, const matrix& table, const token_id* ids) override {
    forwarding_backend::embed(out, table, ids);
    if (++lives_.steps == lives_.breaks_in_step) break_device();
  }

 private:
  device_lives& lives_;
};

class DeviceFaults : public ::testing::Test {
 protected:
  void SetUp() override { write_slim_model(folder_); }

  settings chosen() const {
    settings out;
    out.model.path = folder_.path();
    out.model.name = "slim";
    out.server.port = 0;
    out.engine.max_sequences = 8;
    out.engine.step_tokens = 64;
    out.engine.kv_memory = 4 * mib;
    return out;
  }

  /// The texts of several streams, by a company whose device breaks in that step of all.
  std::vector<std::string> texts(int breaks_in_step) {
    lives_.steps = 0;
    lives_.breaks_in_step = breaks_in_step;
    company all(chosen(), [](auto&&...) {});
    all.load(
        [](const std::string&, std::uint64_t, std::uint64_t) {}, {},
        [this](const engine_settings&, dtype) { return std::make_unique<mortal_device>(lives_); });
    const http_client client(fmt::format("http://127.0.0.1:{}", all.port()));
    std::vector<std::future<std::string>> answers;
    for (int seed = 1; seed <= 4; ++seed)
      answers.push_back(std::async(std::launch::async, [&client, seed] {
        const nlohmann::json body{{"model", "slim"},
                                  {"prompt", "hello"},
                                  {"temperature", 1.0},
                                  {"seed", seed},
                                  {"max_tokens", 24}};
        return client.post("/v1/completions", body.dump()).body;
      }));
    std::vector<std::string> out;
    for (auto& answer : answers) {
      const auto json = nlohmann::json::parse(answer.get());
      out.push_back(json.contains("choices") ? json["choices"][0]["text"].get<std::string>()
                                             : json.dump());
    }
    return out;
  }

  testing::temporary_folder folder_;
  device_lives lives_;
};

TEST_F(DeviceFaults, AreRecoveredFromWithTheSameTokens) {
  const auto whole = texts(0);
  EXPECT_EQ(lives_.made, 1);
  const auto interrupted = texts(10);
  EXPECT_EQ(lives_.made, 3);
  EXPECT_EQ(interrupted, whole);
  EXPECT_GT(whole[0].size(), 0U);
  EXPECT_NE(whole[0], whole[1]);
}

TEST_F(DeviceFaults, EndTheOldDeviceBeforeANewOneIsMade) {
  texts(5);
  EXPECT_EQ(lives_.made, 2);
  EXPECT_EQ(lives_.most_alive, 1);
}

TEST_F(DeviceFaults, AreNotRepairedWhileWhatWasOnTheDeviceIsInUse) {
  engine_device device(
      chosen(), read_model(folder_.path()),
      [this](const engine_settings&, dtype) { return std::make_unique<mortal_device>(lives_); },
      {});
  auto old = device.make_runner();
  break_device();
  EXPECT_THROW(device.make_runner(), device_error);
  EXPECT_EQ(lives_.made, 1);
  old.reset();
  EXPECT_NE(device.make_runner(), nullptr);
  EXPECT_EQ(lives_.made, 2);
}

} // namespace
} // namespace troupe
