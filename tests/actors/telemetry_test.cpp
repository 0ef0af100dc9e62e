#include "actors/telemetry.hpp"
#include "tests/actors/actor_fixture.hpp"
#include "tests/actors/metrics_page.hpp"

namespace troupe::testing {
namespace {

class TelemetryActor : public actor_fixture {
 protected:
  TelemetryActor() {
    handle = spawn(telemetry);
    run();
  }

  void load() { send(handle, metrics_facts{"small", 64, 16, 10, true, nullptr}); }

  metrics_page page() {
    send(handle, scrape{session.handle(), 4});
    return metrics_page{session.get<metrics_text>().text};
  }

  probe session = make_probe();
  telemetry_actor handle;
};

TEST_F(TelemetryActor, AnswersWithTheTagOfTheQuestion) {
  load();
  send(handle, scrape{session.handle(), 4});
  EXPECT_EQ(session.get<metrics_text>().tag, 4U);
}

TEST_F(TelemetryActor, HasAnEmptyPageBeforeTheModelIsLoaded) {
  send(handle, refusal_report{"model_loading"});
  send(handle, scrape{session.handle(), 4});
  EXPECT_EQ(session.get<metrics_text>().text, "");
}

TEST_F(TelemetryActor, AddsUpWhatIsReported) {
  load();
  send(handle, refusal_report{"server_is_overloaded"});
  send(handle, refusal_report{"server_is_overloaded"});
  send(handle, refusal_report{"model_not_found"});
  const auto shown = page();
  EXPECT_EQ(shown.value("troupe:requests_refused_total", {{"code", "server_is_overloaded"}}), 2);
  EXPECT_EQ(shown.value("troupe:requests_refused_total", {{"code", "model_not_found"}}), 1);
}

TEST_F(TelemetryActor, ShowsItsOwnMailboxToo) {
  load();
  EXPECT_TRUE(page().value("troupe:mailbox_depth", {{"actor", "telemetry"}}));
}

TEST_F(TelemetryActor, ReadsTheGpusAtEachScrape) {
  struct warming : gpu_monitor {
    double celsius = 40;
    std::vector<gpu_reading> read() override {
      gpu_reading gpu;
      gpu.temperature_celsius = celsius++;
      return {gpu};
    }
  };
  send(handle, metrics_facts{"small", 64, 16, 10, true, std::make_shared<warming>()});
  EXPECT_EQ(page().value("troupe:gpu_temperature_celsius"), 40);
  EXPECT_EQ(page().value("troupe:gpu_temperature_celsius"), 41);
}

TEST_F(TelemetryActor, TakesReportsOfEveryKind) {
  load();
  send(handle, step_report{});
  send(handle, kv_report{});
  send(handle, sequence_report{});
  send(handle, token_gaps{{0.1F}});
  send(handle, cancel_report{0.1});
  send(handle, restart_report{2});
  send(handle, http_report{"/v1/models", "GET", 200, 0.1});
  const auto shown = page();
  for (const auto* name : {"vllm:request_success_total", "troupe:engine_restarts_total",
                           "http_requests_total", "vllm:inter_token_latency_seconds_count",
                           "troupe:cancel_to_free_seconds_count", "troupe:kv_blocks"})
    EXPECT_TRUE(shown.has(name)) << name;
}

} // namespace
} // namespace troupe::testing
