#include "app/bench/load.hpp"

#include "app/bench/pace.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds watch_interval{100};
// Requests that are due at once go out in batches, so that the first answers are read in between.
constexpr std::size_t batch = 16;

class generator {
 public:
  generator(const request_plan& plan, std::size_t most, const many_client::plan& where,
            const request_writer& writer, const load_watch& watch)
      : plan_(plan), pace_(plan, most), writer_(writer), watch_(watch), client_(where),
        under_way_(plan.size()), records_(plan.size()) {}

  load_outcome run() {
    begin_ = clock::now();
    if (!pace_.finished()) {
      look();
      send_due();
      client_.run();
    }
    load_outcome out;
    out.interrupted = interrupted_;
    for (auto& each : records_)
      if (each) out.records.push_back(std::move(*each));
    for (const request_record& each : out.records)
      out.duration = std::max(out.duration, each.ended);
    return out;
  }

 private:
  class exchange : public exchange_listener {
   public:
    exchange(generator& all, std::size_t number, double sent)
        : all_(all), number_(number), reader_(all.plan_[number], sent) {}

    void on_event(std::string_view data, time now) override {
      reader_.on_event(data, all_.seconds(now));
    }
    void on_end(const exchange_end& end, time now) override {
      reader_.on_end({end.status, end.reason, end.streamed, end.body, end.fault},
                     all_.seconds(now));
      all_.ended(number_, reader_.take());
    }

   private:
    generator& all_;
    std::size_t number_;
    answer_reader reader_;
  };

  double seconds(clock::time_point at) const {
    return std::chrono::duration<double>(at - begin_).count();
  }

  void send_due() {
    for (std::size_t i = 0; i < batch; ++i) {
      const auto number = pace_.next(seconds(clock::now()));
      if (!number) return wake();
      const std::string body = writer_.body(plan_[*number]);
      under_way_[*number] = std::make_unique<exchange>(*this, *number, seconds(clock::now()));
      client_.post(body, *under_way_[*number]);
    }
    wake();
  }

  /// At most one call is waited for: times only grow.
  void wake() {
    const auto at = pace_.wakes_at();
    if (!at || waiting_) return;
    waiting_ = true;
    const auto when =
        begin_ + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(*at));
    client_.call_at(when, [this] {
      waiting_ = false;
      send_due();
    });
  }

  /// The exchange is gone after this.
  void ended(std::size_t number, request_record&& record) {
    records_[number] = std::move(record);
    under_way_[number].reset();
    pace_.ended();
    if (pace_.finished()) return client_.stop();
    send_due();
  }

  void look() {
    const clock::time_point now = clock::now();
    if (!watch_(pace_.done(), now)) {
      interrupted_ = true;
      return client_.stop();
    }
    client_.call_at(now + watch_interval, [this] { look(); });
  }

  const request_plan& plan_;
  pace pace_;
  const request_writer& writer_;
  const load_watch& watch_;
  many_client client_;
  std::vector<std::unique_ptr<exchange>> under_way_;
  std::vector<std::optional<request_record>> records_;
  clock::time_point begin_;
  bool waiting_ = false;
  bool interrupted_ = false;
};

} // namespace

load_outcome carry_out(const request_plan& plan, std::size_t most, const many_client::plan& where,
                       const request_writer& writer, const load_watch& watch) {
  return generator(plan, most, where, writer, watch).run();
}

} // namespace troupe
