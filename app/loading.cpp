#include "app/loading.hpp"

#include "app/progress.hpp"
#include "app/terminal.hpp"

#include <iostream>
#include <unistd.h>

namespace troupe {
namespace {

progress progress_for(const logger& log) {
  if (const auto columns = terminal_columns(STDERR_FILENO))
    return progress::on_terminal(std::cerr, *columns);
  return progress::to_log(log);
}

} // namespace

company_facts load_with_progress(company& all, const logger& log,
                                 const std::function<bool()>& unwanted) {
  using std::chrono::steady_clock;
  auto bar = progress_for(log);
  std::string current;
  auto facts = all.load([&](const std::string& stage, std::uint64_t done, std::uint64_t total) {
    if (unwanted && unwanted()) throw loading_stopped{};
    const auto now = steady_clock::now();
    if (stage != current) bar.begin(current = stage, total, now);
    bar.advance(done, now);
  });
  bar.finish(steady_clock::now());
  return facts;
}

} // namespace troupe
