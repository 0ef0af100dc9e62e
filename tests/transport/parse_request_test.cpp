// From a body to a request: every refusal with its status, field and code, and the values that
// arrive where a request is good.
#include "transport/api/parse_request.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

struct refusal {
  std::string body;
  std::string param;
  std::string code;
  int status = 400;
};

parse_result parse(const std::string& body, api_shape shape) {
  return parse_request(body, shape, door_settings{});
}

/// A chat that is good but for `fields`.
std::string chat_with(const std::string& fields) {
  return R"({"messages":[{"role":"user","content":"hi"}],)" + fields + "}";
}

std::string completion_with(const std::string& fields) {
  return R"({"prompt":"hi",)" + fields + "}";
}

parsed_request good(const std::string& body, api_shape shape) {
  auto result = parse(body, shape);
  if (const auto* error = std::get_if<api_error>(&result)) {
    ADD_FAILURE() << body << ": " << error->message;
    return {};
  }
  return std::get<parsed_request>(result);
}

void expect_refusals(const std::vector<refusal>& table, api_shape shape) {
  for (const refusal& row : table) {
    const auto result = parse(row.body, shape);
    const auto* error = std::get_if<api_error>(&result);
    const std::string shown = row.body.substr(0, 200);
    if (error == nullptr) {
      ADD_FAILURE() << "accepted: " << shown;
      continue;
    }
    EXPECT_EQ(error->status, row.status) << shown;
    EXPECT_EQ(error->type, "invalid_request_error") << shown;
    EXPECT_EQ(error->param, row.param) << shown;
    EXPECT_EQ(error->code, row.code) << shown;
    EXPECT_LT(error->message.size(), 400U) << shown;
  }
}

std::string list_of(std::size_t count, const std::string& element) {
  std::string list = "[";
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + element;
  return list + "]";
}

TEST(ParseRequest, RefusesBodiesThatAreNotObjects) {
  expect_refusals({{"", "", "invalid_json"},
                   {"null", "", "invalid_type"},
                   {"[]", "", "invalid_type"},
                   {"\"x\"", "", "invalid_type"},
                   {"{}", "messages", "missing_required_parameter"},
                   {"{\"messages\":[", "", "invalid_json"},
                   {chat_with("\"n\":1") + "x", "", "invalid_json"},
                   {chat_with("\"n\":1,\"n\":1"), "", "invalid_json"},
                   {std::string(100'000, '['), "", "array_above_max_length"},
                   {chat_with("\"temperature\":1e400"), "", "invalid_json"}},
                  api_shape::chat);
}

TEST(ParseRequest, RefusesBadModels) {
  expect_refusals({{chat_with("\"model\":5"), "model", "invalid_type"},
                   {chat_with("\"model\":\"\""), "model", "invalid_value"},
                   {chat_with("\"model\":\"" + std::string(1 << 20, 'm') + "\""), "model",
                    "model_not_found", 404}},
                  api_shape::chat);
}

TEST(ParseRequest, RefusesBadMessages) {
  const auto with = [](const std::string& message) { return "{\"messages\":[" + message + "]}"; };
  expect_refusals(
      {{"{\"messages\":[]}", "messages", "empty_array"},
       {"{\"messages\":5}", "messages", "invalid_type"},
       {with("5"), "messages[0]", "invalid_type"},
       {with("{\"content\":\"x\"}"), "messages[0].role", "missing_required_parameter"},
       {with(R"({"role":"wizard","content":"x"})"), "messages[0].role", "invalid_value"},
       {with(R"({"role":"user"})"), "messages[0].content", "missing_required_parameter"},
       {with(R"({"role":"user","content":null})"), "messages[0].content",
        "missing_required_parameter"},
       {with(R"({"role":"user","content":7})"), "messages[0].content", "invalid_type"},
       {with(R"({"role":"user","content":[]})"), "messages[0].content", "empty_array"},
       {with(R"({"role":"user","content":["x"]})"), "messages[0].content[0]", "invalid_type"},
       {with(
            R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]})"),
        "messages[0].content[0].type", "unsupported_value"},
       {with(R"({"role":"tool","content":"x"})"), "messages[0].tool_call_id",
        "missing_required_parameter"},
       {with(
            R"({"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]})"),
        "messages[0].tool_calls[0].function.arguments", "invalid_value"},
       {"{\"messages\":" + list_of(4097, R"({"role":"user","content":""})") + "}", "messages",
        "array_above_max_length"}},
      api_shape::chat);
}

TEST(ParseRequest, RefusesNumbersOutOfRange) {
  const std::string below = "decimal_below_min_value";
  const std::string above = "decimal_above_max_value";
  const std::string too_small = "integer_below_min_value";
  const std::string too_large = "integer_above_max_value";
  expect_refusals(
      {{chat_with("\"temperature\":-0.1"), "temperature", below},
       {chat_with("\"temperature\":2.1"), "temperature", above},
       {chat_with("\"temperature\":\"hot\""), "temperature", "invalid_type"},
       {chat_with("\"temperature\":true"), "temperature", "invalid_type"},
       {chat_with("\"top_p\":0"), "top_p", below},
       {chat_with("\"top_p\":-1"), "top_p", below},
       {chat_with("\"top_p\":1.1"), "top_p", above},
       {chat_with("\"top_k\":-2"), "top_k", too_small},
       {chat_with("\"min_p\":1.5"), "min_p", above},
       {chat_with("\"max_tokens\":0"), "max_tokens", too_small},
       {chat_with("\"max_tokens\":-1"), "max_tokens", too_small},
       {chat_with("\"max_tokens\":2147483648"), "max_tokens", too_large},
       {chat_with("\"max_tokens\":9223372036854775808"), "max_tokens", too_large},
       {chat_with("\"max_tokens\":123456789012345678901234567890"), "max_tokens", too_large},
       {chat_with("\"max_tokens\":1.5"), "max_tokens", "invalid_type"},
       {chat_with("\"max_completion_tokens\":0"), "max_completion_tokens", too_small},
       {chat_with("\"max_tokens\":1,\"max_completion_tokens\":1"), "max_tokens", "invalid_value"},
       {chat_with("\"n\":0"), "n", too_small},
       {chat_with("\"n\":17"), "n", too_large},
       {chat_with("\"n\":1000000000"), "n", too_large},
       {chat_with("\"frequency_penalty\":2.1"), "frequency_penalty", above},
       {chat_with("\"presence_penalty\":-2.1"), "presence_penalty", below},
       {chat_with("\"repetition_penalty\":0"), "repetition_penalty", below},
       {chat_with("\"repetition_penalty\":-1"), "repetition_penalty", below},
       {chat_with("\"seed\":18446744073709551616"), "seed", too_large},
       {chat_with("\"seed\":1.5"), "seed", "invalid_type"},
       {chat_with("\"min_tokens\":5,\"max_tokens\":4"), "min_tokens", "invalid_value"},
       {chat_with("\"priority\":2147483648"), "priority", too_large},
       {chat_with("\"timeout\":0"), "timeout", below}},
      api_shape::chat);
}

TEST(ParseRequest, RefusesBadStops) {
  expect_refusals(
      {{chat_with("\"stop\":" + list_of(17, "\"x\"")), "stop", "array_above_max_length"},
       {chat_with("\"stop\":\"\""), "stop", "invalid_value"},
       {chat_with("\"stop\":[\"a\",\"\"]"), "stop[1]", "invalid_value"},
       {chat_with("\"stop\":\"" + std::string(257, 'x') + "\""), "stop", "string_above_max_length"},
       {chat_with("\"stop\":5"), "stop", "invalid_type"},
       {chat_with("\"stop\":[5]"), "stop[0]", "invalid_type"},
       {chat_with("\"stop_token_ids\":[-1]"), "stop_token_ids[0]", "integer_below_min_value"}},
      api_shape::chat);
}

TEST(ParseRequest, RefusesBadLogitBias) {
  std::string many;
  for (int i = 0; i < 1025; ++i) many += fmt::format("{}\"{}\":1", i == 0 ? "" : ",", i);
  expect_refusals(
      {{chat_with(R"("logit_bias":{"abc":1})"), "logit_bias", "invalid_value"},
       {chat_with(R"("logit_bias":{"-1":1})"), "logit_bias", "invalid_value"},
       {chat_with(R"("logit_bias":{"99999999999":1})"), "logit_bias", "invalid_value"},
       {chat_with(R"("logit_bias":{"1":101})"), "logit_bias", "decimal_above_max_value"},
       {chat_with(R"("logit_bias":{"1":"x"})"), "logit_bias", "invalid_type"},
       {chat_with("\"logit_bias\":{" + many + "}"), "logit_bias", "array_above_max_length"}},
      api_shape::chat);
}

TEST(ParseRequest, RefusesBadLogprobsAndStreams) {
  expect_refusals({{chat_with("\"logprobs\":true,\"top_logprobs\":21"), "top_logprobs",
                    "integer_above_max_value"},
                   {chat_with("\"top_logprobs\":2"), "top_logprobs", "invalid_value"},
                   {chat_with("\"logprobs\":3"), "logprobs", "invalid_type"},
                   {chat_with("\"stream_options\":{\"include_usage\":true}"), "stream_options",
                    "invalid_value"},
                   {chat_with("\"stream\":true,\"stream_options\":{\"include_usage\":1}"),
                    "stream_options.include_usage", "invalid_type"},
                   {chat_with("\"stream\":\"yes\""), "stream", "invalid_type"}},
                  api_shape::chat);
  expect_refusals(
      {{completion_with("\"logprobs\":1000000"), "logprobs", "integer_above_max_value"},
       {completion_with("\"logprobs\":true"), "logprobs", "invalid_type"},
       {completion_with("\"n\":2,\"best_of\":1"), "best_of", "integer_below_min_value"}},
      api_shape::completions);
}

TEST(ParseRequest, RefusesBadTools) {
  const std::string tool = R"({"type":"function","function":{"name":"f","parameters":{}}})";
  const auto named = [](const std::string& name) {
    return chat_with(R"("tools":[{"type":"function","function":{"name":")" + name + "\"}}]");
  };
  expect_refusals(
      {{chat_with("\"tools\":" + list_of(129, tool)), "tools", "array_above_max_length"},
       {named("a b"), "tools[0].function.name", "invalid_value"},
       {named(std::string(65, 'a')), "tools[0].function.name", "invalid_value"},
       {chat_with(R"("tools":[{"type":"function","function":{"name":"f","parameters":5}}])"),
        "tools[0].function.parameters", "invalid_type"},
       {chat_with(R"("tool_choice":"auto")"), "tool_choice", "invalid_value"},
       {chat_with("\"tools\":[" + tool + R"(],"tool_choice":"required")"), "tool_choice",
        "unsupported_value"},
       {chat_with("\"tools\":[" + tool +
                  R"(],"tool_choice":{"type":"function","function":{"name":"g"}})"),
        "tool_choice", "invalid_value"}},
      api_shape::chat);
}

TEST(ParseRequest, RefusesWhatIsNotServedOrTooLong) {
  expect_refusals(
      {{chat_with(R"("response_format":{"type":"json_object"})"), "response_format",
        "unsupported_value"},
       {chat_with(R"("response_format":{})"), "response_format.type", "missing_required_parameter"},
       {chat_with(R"("guided_json":{"type":"object"})"), "guided_json", "unsupported_parameter"},
       {chat_with(R"("chat_template":"{{ x }}")"), "chat_template", "unsupported_parameter"},
       {chat_with("\"cache_salt\":\"" + std::string(1 << 20, 's') + "\""), "cache_salt",
        "string_above_max_length"},
       {chat_with(R"("user":"a\u0001b")"), "user", "invalid_value"},
       {chat_with(R"("metadata":{"k":5})"), "metadata.k", "invalid_type"},
       {chat_with(R"("continue_final_message":true,"add_generation_prompt":true)"),
        "continue_final_message", "invalid_value"}},
      api_shape::chat);
}

TEST(ParseRequest, RefusesBadPrompts) {
  expect_refusals(
      {{"{}", "prompt", "missing_required_parameter"},
       {R"({"prompt":5})", "prompt", "invalid_type"},
       {R"({"prompt":[]})", "prompt", "empty_array"},
       {R"({"prompt":[[]]})", "prompt[0]", "empty_array"},
       {R"({"prompt":[[1,-2]]})", "prompt[0][1]", "integer_below_min_value"},
       {R"({"prompt":[1,"a"]})", "prompt[1]", "invalid_type"},
       {R"({"prompt":[4294967296]})", "prompt[0]", "integer_above_max_value"},
       {"{\"prompt\":" + list_of(65, "\"x\"") + "}", "prompt", "array_above_max_length"}},
      api_shape::completions);
}

TEST(ParseRequest, ReadsEverySamplingField) {
  const auto request = good(chat_with(R"("temperature":0.5,"top_p":0.25,"top_k":-1,"min_p":0.125,
      "presence_penalty":1,"frequency_penalty":-1,"repetition_penalty":1.5,"seed":-1,"logit_bias":{"7":-100})"),
                            api_shape::chat)
                           .request;
  EXPECT_EQ(request.temperature, 0.5F);
  EXPECT_EQ(request.top_p, 0.25F);
  EXPECT_EQ(request.top_k, 0);
  EXPECT_EQ(request.min_p, 0.125F);
  EXPECT_EQ(request.presence_penalty, 1.0F);
  EXPECT_EQ(request.frequency_penalty, -1.0F);
  EXPECT_EQ(request.repetition_penalty, 1.5F);
  EXPECT_EQ(request.seed, ~std::uint64_t{0});
  EXPECT_EQ(request.logit_bias, (std::vector<std::pair<token_id, float>>{{7, -100.0F}}));
}

TEST(ParseRequest, ReadsWhatElseARequestMaySay) {
  const auto parsed =
      good(chat_with(R"("model":"m","max_completion_tokens":9,"min_tokens":2,"stop":["a","b"],
      "stop_token_ids":[3],"n":2,"logprobs":true,"top_logprobs":4,"priority":-3,"timeout":1.5,"cache_salt":"s",
      "ignore_eos":true,"include_stop_str_in_output":true,"skip_special_tokens":false,"stream":true,
      "stream_options":{"include_usage":true},"response_format":{"type":"text"},"unheard_of":[1,2])"),
           api_shape::chat);
  const generate_request& request = parsed.request;
  EXPECT_EQ(request.model, "m");
  EXPECT_EQ(request.max_tokens, 9U);
  EXPECT_EQ(request.min_tokens, 2U);
  EXPECT_EQ(request.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request.stop_token_ids, token_ids{3});
  EXPECT_EQ(request.n, 2U);
  EXPECT_EQ(request.logprobs, 4);
  EXPECT_EQ(request.priority, -3);
  EXPECT_EQ(request.timeout.count(), 1500);
  EXPECT_EQ(request.cache_salt, "s");
  EXPECT_TRUE(request.ignore_eos && request.include_stop && !request.skip_special_tokens);
  EXPECT_TRUE(parsed.stream && parsed.include_usage);
}

TEST(ParseRequest, TakesPromptsInEveryForm) {
  const auto count = [](const std::string& body) {
    return good(body, api_shape::completions).request.prompts.size();
  };
  EXPECT_EQ(count(R"({"prompt":""})"), 1U);
  EXPECT_EQ(count(R"({"prompt":["a","b"]})"), 2U);
  EXPECT_EQ(count(R"({"prompt":[1,2,3]})"), 1U);
  EXPECT_EQ(count(R"({"prompt":[[1],[2,3],"x"]})"), 3U);
}

TEST(ParseRequest, BuildsMessagesAsTemplatesExpectThem) {
  const auto parsed = good(R"({"messages":[
      {"role":"developer","content":[{"type":"text","text":"be "},{"type":"text","text":"brief"}],"x":1},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
        "function":{"name":"f","arguments":"{\"b\":1,\"a\":2}"}}]},
      {"role":"tool","tool_call_id":"c","content":"ok"}]})",
                           api_shape::chat);
  const auto& chat = std::get<chat_input>(parsed.request.prompts.at(0));
  EXPECT_EQ(
      chat.messages,
      R"([{"role":"system","content":"be brief"},)"
      R"({"role":"assistant","content":"","tool_calls":[{"type":"function","function":{"name":"f",)"
      R"("arguments":{"b":1,"a":2}},"id":"c"}]},{"role":"tool","content":"ok","tool_call_id":"c"}])");
  EXPECT_TRUE(chat.add_generation_prompt);
}

TEST(ParseRequest, HidesToolsThatMayNotBeCalled) {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f"}}])";
  const auto shown = good(chat_with(tools), api_shape::chat);
  const auto hidden = good(chat_with(tools + R"(,"tool_choice":"none")"), api_shape::chat);
  EXPECT_EQ(std::get<chat_input>(shown.request.prompts[0]).tools,
            R"([{"type":"function","function":{"name":"f"}}])");
  EXPECT_EQ(std::get<chat_input>(hidden.request.prompts[0]).tools, "");
}

TEST(ParseRequest, TakesTheShorterOfTwoTimeouts) {
  const auto parse_with = [](std::chrono::milliseconds header) {
    return std::get<parsed_request>(
               parse_request(chat_with("\"timeout\":2"), api_shape::chat, door_settings{}, header))
        .request.timeout.count();
  };
  EXPECT_EQ(parse_with(std::chrono::milliseconds(0)), 2000);
  EXPECT_EQ(parse_with(std::chrono::milliseconds(500)), 500);
  EXPECT_EQ(parse_with(std::chrono::milliseconds(5000)), 2000);
}

TEST(ParseRequest, ReportsThePromptToo) {
  const auto parsed = good(completion_with("\"echo\":true,\"logprobs\":2"), api_shape::completions);
  EXPECT_EQ(parsed.request.prompt_logprobs, 2);
  EXPECT_EQ(parsed.request.max_tokens, 16U);
}

} // namespace
} // namespace troupe
