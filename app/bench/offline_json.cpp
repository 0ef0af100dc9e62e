#include "app/bench/offline_report.hpp"
#include "app/bench/spread_json.hpp"

#include <nlohmann/json.hpp>

namespace troupe {
namespace {

using json = nlohmann::ordered_json;

void add_part(json& to, const std::string& name, const step_part& part) {
  add_spread(to, "step_" + name, part.each);
  to["total_step_" + name + "_s"] = part.sum;
  to["share_" + name] = part.share;
}

const char* name_of(dtype type) {
  return type == dtype::f32 ? "f32" : type == dtype::f16 ? "f16" : "bf16";
}

} // namespace

std::string offline_json(const offline_report& report) {
  const auto all = static_cast<double>(report.input_tokens + report.output_tokens);
  json out;
  out["model_id"] = report.model;
  out["device"] = report.device;
  out["weights"] = name_of(report.weight_type);
  out["seed"] = report.work.seed;
  out["input_len"] = report.work.input;
  out["output_len"] = report.work.output;
  out["max_concurrency"] = report.work.concurrency;
  out["places"] = report.places;
  out["duration"] = report.duration;
  out["completed"] = report.work.requests;
  out["total_input_tokens"] = report.input_tokens;
  out["total_output_tokens"] = report.output_tokens;
  out["total_cached_tokens"] = report.cached_tokens;
  out["request_throughput"] = report.per_second(report.work.requests);
  out["output_throughput"] = report.output_rate();
  out["total_token_throughput"] = report.per_second(all);
  add_spread(out, "ttft", report.ttft);
  add_spread(out, "tpot", report.tpot);
  add_spread(out, "e2el", report.e2el);
  out["steps"] = report.steps;
  add_part(out, "device", report.computing);
  add_part(out, "gap", report.gap);
  add_part(out, "scheduler", report.scheduler);
  out["rows_per_step"] = report.rows_a_step;
  out["tokens_per_step"] = report.tokens_a_step;
  out["occupancy"] = report.occupancy;
  out["preemptions"] = report.preemptions;
  out["copy_bytes_per_s"] = report.device_rates.copy_rate;
  out["matrix_flops_per_s"] = report.device_rates.matrix_rate;
  out["weight_bytes_per_step"] = report.cost.weight_bytes;
  out["flops_per_row"] = report.cost.row_operations;
  out["flops_per_sampled_row"] = report.cost.head_operations;
  out["attention_flops_per_token"] = report.cost.attention_operations;
  out["kv_bytes_per_token"] = report.cost.kv_bytes;
  out["roofline_weights_s"] = report.limit.weights;
  out["roofline_context_s"] = report.limit.context;
  out["roofline_prompts_s"] = report.limit.prompts;
  out["roofline_output_throughput"] = report.limit.output_tokens_per_second();
  out["roofline_fraction"] = report.reached();
  return out.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

} // namespace troupe
