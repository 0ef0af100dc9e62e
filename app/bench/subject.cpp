#include "app/bench/subject.hpp"

#include "app/bench/chunk.hpp"
#include "app/bench/served.hpp"
#include "transport/http/client.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>

namespace troupe {
namespace {

constexpr std::chrono::seconds patience{20};
// Fewer different ids would make prompts that are alike by chance.
constexpr std::size_t fewest_ids = 64;

http_client client_of(const bench_server& server) {
  http_client client(server.url, server.api_key, patience);
  for (const std::string& each : server.headers) client.add_header(each);
  return client;
}

served_model find_model(const http_client& client, const std::string& wanted) {
  const http_reply reply = client.get("/v1/models");
  if (reply.status == 200)
    if (const auto found = read_models(reply.body, wanted)) return *found;
  if (!wanted.empty()) return {wanted, 0};
  throw std::runtime_error(
      reply.status == 200
          ? std::string("GET /v1/models: the server names no model; name it with --model")
          : fmt::format("GET /v1/models: {} {}; name the model with --model", reply.status,
                        message_of_error(reply.body)));
}

/// The server's ids for common words; empty where it does not tell them.
std::vector<std::uint32_t> ids_of_words(const http_client& client, const std::string& model) {
  const nlohmann::json question{
      {"model", model}, {"prompt", prompt_words()}, {"add_special_tokens", false}};
  const http_reply reply = client.post("/tokenize", question.dump());
  auto ids = reply.status == 200 ? read_token_ids(reply.body) : std::vector<std::uint32_t>();
  if (ids.size() < fewest_ids) ids.clear();
  return ids;
}

} // namespace

bench_subject find_subject(const bench_serve_options& wanted, std::uint64_t seed) {
  const http_client client = client_of(wanted.server);
  const served_model model = find_model(client, wanted.server.model);
  const bool words = wanted.bodies.text || wanted.server.endpoint == bench_endpoint::chat;
  if (words) return {model.name, prompt_writer::of_words(seed), "words"};
  const std::uint32_t vocabulary =
      wanted.bodies.vocabulary > 0 ? wanted.bodies.vocabulary : model.vocabulary;
  const auto ids =
      vocabulary > 0 ? middle_of_vocabulary(vocabulary) : ids_of_words(client, model.name);
  if (ids.empty()) return {model.name, prompt_writer::of_words(seed), "words"};
  return {model.name, prompt_writer::of_ids(ids, seed), "ids"};
}

std::string text_at(const bench_server& server, const std::string& path) {
  const http_reply reply = client_of(server).get(path);
  return reply.status == 200 ? reply.body : std::string();
}

} // namespace troupe
