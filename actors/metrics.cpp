#include "actors/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace troupe {
namespace {

using buckets = std::vector<double>;

const buckets first_token_buckets{.0001, .0002, .0005, .001, .002, .005, .01, .02, .04,
                                  .06,   .08,   .1,    .25,  .5,   .75,  1,   2.5, 5,
                                  7.5,   10,    20,    40,   80,   160,  640, 2560};
const buckets token_time_buckets{.0001, .0002, .0005, .001, .002, .003, .005, .0075, .01,
                                 .025,  .05,   .075,  .1,   .15,  .2,   .3,   .4,    .5,
                                 .75,   1,     2.5,   5,    7.5,  10,   20,   40,    80};
const buckets request_buckets{.001, .005, .01, .05, .1, .3, .5, .8,  1,   1.5, 2,   2.5,  5,
                              10,   15,   20,  30,  40, 50, 60, 120, 240, 480, 960, 1920, 7680};
const buckets step_buckets{.00001, .00003, .0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3};

buckets one_two_five(double most) {
  buckets out;
  for (double decade = 1; decade <= most; decade *= 10)
    for (const double step : {1.0, 2.0, 5.0})
      if (decade * step <= most) out.push_back(decade * step);
  return out;
}

} // namespace

metrics::metrics(const metrics_facts& facts)
    : base_{{"model_name", facts.model_name}, {"engine", "0"}},
      registry_{std::make_shared<prometheus::Registry>()},
      token_buckets_{one_two_five(std::max(1.0, static_cast<double>(facts.max_context)))} {
  gauge("vllm:cache_config_info", "How the KV cache is cut; the value is always 1.",
        {{"block_size", std::to_string(facts.block_tokens)},
         {"num_gpu_blocks", std::to_string(facts.blocks)},
         {"enable_prefix_caching", facts.prefix_cache ? "True" : "False"}})
      .Set(1);
  // What has not happened yet is shown as zero rather than not at all.
  add(step_report{});
  add(token_gaps{});
  counter("vllm:prompt_tokens_total", "Prompt tokens of requests that ended.");
  counter("vllm:prompt_tokens_cached_total", "Of them, found in the prefix cache.");
  for (const auto reason :
       {finish_reason::stop, finish_reason::length, finish_reason::cancelled, finish_reason::error})
    counter("vllm:request_success_total", "Sequences that ended, by reason.",
            {{"finished_reason", std::string{name_of(reason)}}});
}

metrics::~metrics() = default;

// A registry gives back the family and the metric that it has under this name and these labels.
prometheus::Counter& metrics::counter(const std::string& name, const std::string& help,
                                      const labels& more) {
  auto all = base_;
  all.insert(more.begin(), more.end());
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(all);
}

prometheus::Gauge& metrics::gauge(const std::string& name, const std::string& help,
                                  const labels& more) {
  auto all = base_;
  all.insert(more.begin(), more.end());
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(all);
}

prometheus::Histogram& metrics::histogram(const std::string& name, const std::string& help,
                                          buckets bounds) {
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(*registry_)
      .Add(base_, std::move(bounds));
}

void metrics::advance(const std::string& name, const std::string& help, double total,
                      const labels& more) {
  auto& known = totals_[{name, more}];
  counter(name, help, more).Increment(std::max(0.0, total - known));
  known = total;
}

void metrics::mailbox(const std::string& actor, std::size_t depth) {
  gauge("troupe:mailbox_depth", "Messages waiting in an actor's mailbox when it last reported.",
        {{"actor", actor}})
      .Set(static_cast<double>(depth));
}

void metrics::add(const step_report& what) {
  gauge("vllm:num_requests_running", "Sequences in the batch.").Set(what.running);
  gauge("vllm:num_requests_waiting", "Sequences waiting for a place in the batch.")
      .Set(what.waiting);
  counter("vllm:num_preemptions_total", "Sequences whose blocks were taken away, to be recomputed.")
      .Increment(what.preemptions);
  counter("vllm:generation_tokens_total", "Tokens generated.").Increment(what.sampled_tokens);
  mailbox("scheduler", what.mailbox);
  if (what.batch_tokens == 0) return;
  histogram("vllm:iteration_tokens_total", "Rows of a step.",
            {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384})
      .Observe(what.batch_tokens);
  histogram("troupe:step_device_seconds", "Of a step: computing.", step_buckets)
      .Observe(what.device_seconds);
  histogram("troupe:step_gap_seconds",
            "Of a step: the device idle before it, while there was work.", step_buckets)
      .Observe(what.gap_seconds);
  histogram("troupe:step_scheduler_seconds", "Of a step: the scheduler's own time.", step_buckets)
      .Observe(what.scheduler_seconds);
}

void metrics::add(const kv_report& what) {
  const auto& kv = what.stats;
  const auto total = std::max(1.0, static_cast<double>(kv.total));
  gauge("vllm:kv_cache_usage_perc", "Blocks that sequences use, of all; 0 to 1.")
      .Set(kv.used / total);
  gauge("vllm:gpu_cache_usage_perc", "The same under its older name.").Set(kv.used / total);
  gauge("troupe:kv_blocks", "Blocks by what they are.", {{"state", "used"}}).Set(kv.used);
  gauge("troupe:kv_blocks", "Blocks by what they are.", {{"state", "idle"}}).Set(kv.idle);
  gauge("troupe:kv_blocks", "Blocks by what they are.", {{"state", "free"}}).Set(kv.free);
  gauge("troupe:kv_blocks_without_owner", "Blocks in use that no sequence has; not 0 is a defect.")
      .Set(kv.ownerless);
  // A new engine counts from zero again.
  auto& queried = totals_[{"vllm:prefix_cache_queries_total", {}}];
  if (static_cast<double>(kv.queried_tokens) < queried)
    queried = totals_[{"vllm:prefix_cache_hits_total", {}}] = 0;
  advance("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.",
          static_cast<double>(kv.queried_tokens));
  advance("vllm:prefix_cache_hits_total", "Prompt tokens found in the prefix cache.",
          static_cast<double>(kv.hit_tokens));
  mailbox("kv_blocks", what.mailbox);
}

void metrics::add(const sequence_report& what) {
  counter("vllm:prompt_tokens_total", "Prompt tokens of requests that ended.")
      .Increment(what.usage.prompt);
  counter("vllm:prompt_tokens_cached_total", "Of them, found in the prefix cache.")
      .Increment(what.usage.cached);
  counter("vllm:request_success_total", "Sequences that ended, by reason.",
          {{"finished_reason", std::string{name_of(what.reason)}}})
      .Increment();
  histogram("vllm:request_prompt_tokens", "Prompt tokens of a sequence.", token_buckets_)
      .Observe(what.usage.prompt);
  histogram("vllm:request_generation_tokens", "Generated tokens of a sequence.", token_buckets_)
      .Observe(what.usage.completion);
  histogram("vllm:request_params_max_tokens", "Tokens that a sequence might generate.",
            token_buckets_)
      .Observe(what.max_tokens);
  histogram("vllm:request_params_n", "Continuations of each prompt.", {1, 2, 5, 10, 20})
      .Observe(what.n);
  histogram("vllm:e2e_request_latency_seconds", "From arrival to the end.", request_buckets)
      .Observe(what.times.total_seconds);
  if (what.times.queue_seconds >= 0)
    histogram("vllm:request_queue_time_seconds", "From arrival to the first step.", request_buckets)
        .Observe(what.times.queue_seconds);
  if (what.times.first_token_seconds < 0) return;
  histogram("vllm:time_to_first_token_seconds", "From arrival to the first token.",
            first_token_buckets)
      .Observe(what.times.first_token_seconds);
  histogram("vllm:request_prefill_time_seconds", "From the first step to the first token.",
            request_buckets)
      .Observe(what.times.prefill_seconds);
  histogram("vllm:request_decode_time_seconds", "From the first token to the last.",
            request_buckets)
      .Observe(what.times.decode_seconds);
  histogram("vllm:request_inference_time_seconds", "From the first step to the last token.",
            request_buckets)
      .Observe(what.times.prefill_seconds + what.times.decode_seconds);
  if (what.usage.completion > 1)
    histogram("vllm:request_time_per_output_token_seconds",
              "Mean time between a sequence's tokens.", token_time_buckets)
        .Observe(what.times.decode_seconds / (what.usage.completion - 1));
}

void metrics::add(const token_gaps& what) {
  auto& latency = histogram("vllm:inter_token_latency_seconds", "Between two tokens of a sequence.",
                            token_time_buckets);
  auto& older = histogram("vllm:time_per_output_token_seconds", "The same under its older name.",
                          token_time_buckets);
  for (const auto seconds : what.seconds) {
    latency.Observe(seconds);
    older.Observe(seconds);
  }
}

void metrics::add(const cancel_report& what) {
  histogram("troupe:cancel_to_free_seconds", "From a cancellation to its blocks being given back.",
            step_buckets)
      .Observe(what.to_free_seconds);
}

void metrics::add(const refusal_report& what) {
  counter("troupe:requests_refused_total", "Requests refused at the door, by the error's code.",
          {{"code", what.code}})
      .Increment();
}

void metrics::add(const gpu_reading& what) {
  const labels gpu{{"gpu", std::to_string(what.index)}, {"uuid", what.uuid}};
  const auto with = [&gpu](const char* label, const char* value) {
    auto out = gpu;
    out.emplace(label, value);
    return out;
  };
  const auto show = [this](const char* name, const char* help, const std::optional<double>& value,
                           const labels& of) {
    if (value) gauge(name, help, of).Set(*value);
  };
  show("troupe:gpu_utilization", "Share of the last moments in which a kernel ran; 0 to 1.",
       what.utilisation, gpu);
  show("troupe:gpu_memory_used_bytes", "Of the GPU's memory, by whomever.", what.memory_used_bytes,
       gpu);
  show("troupe:gpu_memory_total_bytes", "The GPU's memory.", what.memory_total_bytes, gpu);
  show("troupe:gpu_power_watts", "Power that the GPU draws.", what.power_watts, gpu);
  show("troupe:gpu_temperature_celsius", "The GPU's temperature.", what.temperature_celsius, gpu);
  const char* const clocks = "The GPU's clocks, of its multiprocessors and of its memory.";
  show("troupe:gpu_clock_hertz", clocks, what.clock_hertz, with("clock", "sm"));
  show("troupe:gpu_clock_hertz", clocks, what.memory_clock_hertz, with("clock", "memory"));
  if (what.energy_joules)
    advance("troupe:gpu_energy_joules_total", "Energy since the driver was loaded.",
            *what.energy_joules, gpu);
  const char* const errors = "Errors of the GPU's memory since the driver was loaded.";
  if (what.ecc_corrected)
    advance("troupe:gpu_ecc_errors_total", errors, *what.ecc_corrected, with("kind", "corrected"));
  if (what.ecc_uncorrected)
    advance("troupe:gpu_ecc_errors_total", errors, *what.ecc_uncorrected,
            with("kind", "uncorrected"));
}

void metrics::add(const restart_report&) {
  counter("troupe:engine_restarts_total", "Times the engine was started again.").Increment();
}

void metrics::add(const http_report& what) {
  counter(
      "http_requests_total", "HTTP answers.",
      {{"handler", what.handler}, {"method", what.method}, {"status", std::to_string(what.status)}})
      .Increment();
  histogram("http_request_duration_seconds", "From a request's first byte to its answer's last.",
            request_buckets)
      .Observe(what.seconds);
}

std::string metrics::text() const {
  return prometheus::TextSerializer{}.Serialize(registry_->Collect());
}

} // namespace troupe
