// The public door: errors that name the line, the clock, and one template rendered by many threads.
#include "model/template/chat_template.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <thread>
#include <vector>

namespace troupe {
namespace {

using json = nlohmann::ordered_json;

std::string message_of(std::string_view source, const json& context = json::object()) {
  try {
    chat_template(source).render(context);
  } catch (const template_error& error) {
    return error.what();
  }
  return {};
}

TEST(ChatTemplate, NamesTheLineOfASyntaxError) {
  EXPECT_EQ(message_of("a\nb\n{{ 1 + }}").substr(0, 23), "chat template, line 3: ");
  EXPECT_EQ(message_of("{% if x %}\n\n{% endfor %}").substr(0, 23), "chat template, line 3: ");
}

TEST(ChatTemplate, NamesTheLineAndTheNameOfAFailure) {
  EXPECT_EQ(message_of("a\n{# two\nlines #}\n{{ missing.x }}"),
            "chat template, line 4: \"missing\" is undefined; test it with \"is defined\" before");
  EXPECT_EQ(message_of("{% macro m() %}\n{{ 1 / 0 }}{% endmacro %}\n\n{{ m() }}").substr(0, 23),
            "chat template, line 2: ");
}

TEST(ChatTemplate, ReportsTheTemplatesOwnRefusalAsSuch) {
  const chat_template parsed("{{ raise_exception('roles must alternate') }}");
  try {
    parsed.render(json::object());
    FAIL();
  } catch (const template_refusal& refused) {
    EXPECT_NE(std::string(refused.what()).find("roles must alternate"), std::string::npos);
  }
}

TEST(ChatTemplate, AsksTheClockOnceARendering) {
  int asked = 0;
  const chat_template parsed("{{ strftime_now('%Y') }}{{ strftime_now('%Y') }}", {}, [&] {
    std::tm time{};
    time.tm_year = 100 + asked++;
    return time;
  });
  EXPECT_EQ(parsed.render(json::object()).text, "20002000");
  EXPECT_EQ(asked, 1);
}

TEST(ChatTemplate, FindsNoClockWhereNoneIsGiven) {
  EXPECT_EQ(chat_template("{{ strftime_now is defined }}").render(json::object()).text, "False");
}

TEST(ChatTemplate, RefusesAContextThatIsNoObject) {
  EXPECT_THROW(chat_template("x").render(json::array()), template_error);
}

TEST(ChatTemplate, LeavesTheContextAsItWas) {
  const json context = {{"q", {1, 2}}};
  const chat_template parsed("{% set _ = q.append(3) %}{{ q }}");
  EXPECT_EQ(parsed.render(context).text, "[1, 2, 3]");
  EXPECT_EQ(parsed.render(context).text, "[1, 2, 3]");
}

TEST(ChatTemplate, RendersTheSameOnManyThreadsAtOnce) {
  const chat_template parsed("{% macro m(x) %}<{{ x|upper }}>{% endmacro %}{% for w in words %}{{ "
                             "m(w ~ 'é') }}{{ loop.index }}{% endfor %}");
  const json context = {{"words", {"a", "b", "c"}}};
  const std::string expected = parsed.render(context).text;
  std::vector<int> same(4, 0);
  std::vector<std::thread> threads;
  for (int& count : same) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += parsed.render(context).text == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, std::vector<int>(4, 200));
}

} // namespace
} // namespace troupe
