#include "actors/report_listener.hpp"
#include "tests/actors/actor_fixture.hpp"

namespace troupe::testing {
namespace {

class ReportListener : public actor_fixture {
 protected:
  ReportListener() {
    handle = spawn(report_listener, listens.handle());
    run();
  }

  probe listens = make_probe();
  telemetry_actor handle;
};

TEST_F(ReportListener, HandsOnStepsAndSequencesInTheirOrder) {
  step_report step;
  step.batch_tokens = 7;
  sequence_report sequence;
  sequence.max_tokens = 9;
  send(handle, step);
  send(handle, sequence);
  EXPECT_EQ(listens.get<step_report>().batch_tokens, 7U);
  EXPECT_EQ(listens.get<sequence_report>().max_tokens, 9U);
}

TEST_F(ReportListener, PassesOverTheRest) {
  send(handle, kv_report{});
  send(handle, token_gaps{});
  send(handle, refusal_report{"server_is_overloaded"});
  EXPECT_TRUE(listens.take_all<step_report>().empty());
  EXPECT_TRUE(listens.take_all<sequence_report>().empty());
}

TEST_F(ReportListener, HasNoMetrics) {
  send(handle, scrape{listens.handle(), 4});
  const auto page = listens.get<metrics_text>();
  EXPECT_EQ(page.tag, 4U);
  EXPECT_EQ(page.text, "");
}

} // namespace
} // namespace troupe::testing
