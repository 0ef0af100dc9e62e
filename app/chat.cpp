// A conversation is always one with a server: where no address is given, a company of our own
// serves the model on a free port of this machine.
#include "app/chat.hpp"

#include "app/company.hpp"
#include "app/conversation.hpp"
#include "app/journal_of.hpp"
#include "app/loading.hpp"
#include "app/log.hpp"

#include <fmt/format.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>

namespace troupe {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

// Ctrl-C ends the answer, not the program.
void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void print_stats(const answer_stats& stats) {
  const auto rate = stats.seconds > 0 ? stats.tokens / stats.seconds : 0;
  fmt::print(stderr, "TTFT: {:.2f} ms\nTPS:  {:.2f} tokens/s ({} tokens in {:.2f} s)\n",
             stats.first_seconds * 1000, rate, stats.tokens, stats.seconds);
}

bool ask(conversation& talk, const std::string& question, bool with_stats) {
  interrupted = 0;
  const auto answer = talk.ask(question, [](std::string_view piece) {
    std::cout << piece << std::flush;
    return interrupted == 0;
  });
  std::cout << '\n';
  if (!answer.error.empty()) fmt::print(stderr, "troupe chat: {}\n", answer.error);
  if (with_stats) print_stats(answer.stats);
  return answer.error.empty();
}

int talk_on_terminal(conversation& talk, bool with_stats) {
  const bool watched = isatty(STDIN_FILENO) == 1;
  if (watched)
    fmt::print("Ask something. /clear begins anew, /quit or Ctrl-D ends, Ctrl-C ends an answer.\n");
  int status = 0;
  for (std::string line;;) {
    if (watched) std::cout << "> " << std::flush;
    if (!std::getline(std::cin, line)) {
      if (interrupted == 0 || std::cin.eof()) break;
      std::cin.clear();
      interrupted = 0;
      std::cout << '\n';
      continue;
    }
    if (line == "/quit" || line == "/exit") break;
    if (line == "/clear") talk.clear();
    if (line.starts_with('/')) {
      if (line != "/clear") fmt::print("/clear begins anew, /quit ends.\n");
      continue;
    }
    if (line.empty()) continue;
    if (!ask(talk, line, with_stats)) status = 1;
  }
  if (watched) std::cout << '\n';
  return status;
}

} // namespace

int run_chat(const chat_options& wanted, const settings& chosen) {
  auto ours = chosen;
  ours.log.level = std::max(chosen.log.level, log_level::warning);
  const auto log = logger::to_stderr(ours.log);
  std::unique_ptr<company> partner;
  auto url = wanted.url;
  if (url.empty()) {
    ours.server.host = "127.0.0.1";
    ours.server.port = 0;
    partner = std::make_unique<company>(ours, journal_of(log));
    load_with_progress(*partner, log);
    url = fmt::format("http://127.0.0.1:{}", partner->port());
  }
  catch_interrupts();
  conversation talk{url, chosen.server.api_keys.empty() ? "" : chosen.server.api_keys.front(),
                    wanted.system};
  if (wanted.question) return ask(talk, *wanted.question, wanted.stats) ? 0 : 1;
  return talk_on_terminal(talk, wanted.stats);
}

} // namespace troupe
