// A conversation with a server that speaks OpenAI's chat completions: it keeps the messages and
// streams the answers.
#pragma once

#include "transport/http/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

struct answer_stats {
  double first_seconds = 0; ///< from the question to the first piece
  double seconds = 0;       ///< from the question to the end
  int tokens = 0;           ///< as the server counts them
};

struct answer {
  std::string text;
  std::string error; ///< not empty: the question is not part of the conversation
  answer_stats stats;
};

class conversation {
 public:
  /// `system` is the system message, or empty for none. Throws std::invalid_argument where the url
  /// is none.
  conversation(const std::string& url, std::string api_key, std::string system);
  ~conversation();

  /// Called with each piece of the answer; false ends it there.
  using piece_handler = std::function<bool(std::string_view piece)>;

  answer ask(const std::string& question, const piece_handler& on_piece);
  /// Forgets all but the system message.
  void clear();

 private:
  http_client server_;
  std::string system_;
  std::unique_ptr<nlohmann::json> messages_;
};

} // namespace troupe
