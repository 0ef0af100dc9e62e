#include "app/conversation.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace troupe {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

std::string message_of(const json& body, const std::string& otherwise) {
  const auto found = body.is_object() ? body.find("error") : body.end();
  return found != body.end() && found->is_object() ? found->value("message", otherwise) : otherwise;
}

} // namespace

conversation::conversation(const std::string& url, std::string api_key, std::string system)
    : server_{url, std::move(api_key)}, system_{std::move(system)}, messages_{
                                                                        std::make_unique<json>()} {
  clear();
}

conversation::~conversation() = default;

void conversation::clear() {
  *messages_ = json::array();
  if (!system_.empty()) messages_->push_back({{"role", "system"}, {"content", system_}});
}

answer conversation::ask(const std::string& question, const piece_handler& on_piece) {
  answer out;
  messages_->push_back({{"role", "user"}, {"content", question}});
  const json request{
      {"messages", *messages_}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
  const auto begin = steady_clock::now();
  const auto take = [&](std::string_view data) {
    const auto chunk = json::parse(data, nullptr, false);
    if (!chunk.is_object()) return true;
    if (chunk.contains("error")) out.error = message_of(chunk, "the server reported an error");
    if (const auto usage = chunk.find("usage"); usage != chunk.end() && usage->is_object())
      out.stats.tokens = usage->value("completion_tokens", 0);
    const auto choices = chunk.value("choices", json::array());
    if (choices.empty() || !choices[0].contains("delta")) return true;
    const auto& content = choices[0]["delta"].value("content", json{});
    if (!content.is_string() || content.get_ref<const std::string&>().empty()) return true;
    if (out.text.empty()) out.stats.first_seconds = seconds_since(begin);
    out.text += content.get_ref<const std::string&>();
    return on_piece(content.get_ref<const std::string&>());
  };
  try {
    const auto reply = server_.post_stream("/v1/chat/completions", request.dump(), take);
    if (reply.status != 200)
      out.error = message_of(json::parse(reply.body, nullptr, false),
                             fmt::format("the server answered {}", reply.status));
  } catch (const std::exception& problem) {
    out.error = problem.what();
  }
  out.stats.seconds = seconds_since(begin);
  if (out.error.empty())
    messages_->push_back({{"role", "assistant"}, {"content", out.text}});
  else
    messages_->erase(messages_->size() - 1);
  return out;
}

} // namespace troupe
