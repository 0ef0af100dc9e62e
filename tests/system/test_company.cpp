#include "tests/system/test_company.hpp"

#include "transport/http/client.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>

#include <sstream>
#include <thread>

namespace troupe {

settings test_company::defaults() {
  settings out;
  out.model.name = "scripted";
  out.server.port = 0;
  out.engine.threads = 1;
  out.engine.pin_threads = false;
  out.engine.max_sequences = 1024;
  out.engine.kv_memory = 512 * mib;
  return out;
}

test_company::test_company(settings chosen, std::chrono::microseconds step_time,
                           std::optional<std::uint64_t> poisoned_seed, std::uint32_t poisoned_after,
                           std::vector<std::uint64_t> lifetimes) {
  if (chosen.model.path.empty()) {
    write_slim_model(folder_);
    chosen.model.path = folder_.path();
  }
  words_ = std::make_shared<const tokenizer>(tokenizer::load(chosen.model.path));
  script_ = std::make_shared<const script>(*words_);
  const scripted_behavior always{script_, step_time, poisoned_seed, poisoned_after, 0};
  const auto make = [shared = shared_, always, lifetimes](caf::actor_system& system) {
    auto behavior = always;
    const auto life = static_cast<std::size_t>(shared->made.load());
    if (life < lifetimes.size()) behavior.lifetime = lifetimes[life];
    auto made = system.spawn<caf::detached>(scripted_executor, behavior);
    const std::scoped_lock lock(shared->guard);
    shared->executor = made.address();
    ++shared->made;
    return made;
  };
  all_ = std::make_unique<company>(
      chosen, [](log_level, std::string_view, std::string_view, const journal_values&) {});
  all_->load([](const std::string&, std::uint64_t, std::uint64_t) {}, make);
}

std::string test_company::text(const token_ids& prompt, std::uint64_t seed,
                               std::size_t tokens) const {
  return words_->decode(script_->continuation(prompt, seed, tokens), true);
}

void test_company::kill_executor() {
  const std::scoped_lock lock(shared_->guard);
  if (const auto found = caf::actor_cast<caf::actor>(shared_->executor))
    caf::anon_send_exit(found, caf::exit_reason::kill);
}

double test_company::metric(const std::string& name, const std::string& label) const {
  const http_client client(fmt::format("http://127.0.0.1:{}", port()));
  return sum_of_metric(client.get("/metrics").body, name, label);
}

bool test_company::comes_to_rest() const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (metric("vllm:num_requests_running") == 0 && metric("vllm:num_requests_waiting") == 0 &&
        metric("troupe:kv_blocks", "state=\"used\"") == 0)
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

double sum_of_metric(const std::string& text, const std::string& name, const std::string& label) {
  std::istringstream lines(text);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + "{") || line.find(label) == std::string::npos) continue;
    sum += std::stod(line.substr(line.rfind('}') + 1));
  }
  return sum;
}

} // namespace troupe
