// Small templates of our own with the values that Jinja2 gave for them (make_cases.py): one case a
// feature or an error.
#include "model/template/chat_template.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace troupe {
namespace {

std::tm fixed_time() {
  std::tm time{};
  time.tm_year = 124;
  time.tm_mon = 6;
  time.tm_mday = 26;
  time.tm_hour = 13;
  time.tm_min = 5;
  time.tm_sec = 9;
  time.tm_wday = 5;
  time.tm_yday = 207;
  return time;
}

TEST(TemplateCases, RenderAsJinja2DoesOrRefuseWhereItRaises) {
  std::ifstream in(TROUPE_CASES);
  const auto file = nlohmann::ordered_json::parse(in);
  ASSERT_GT(file["cases"].size(), 200U);
  for (const auto& expected : file["cases"]) {
    const auto source = expected["template"].get<std::string>();
    SCOPED_TRACE(source);
    try {
      const rendered_text made = chat_template(source, {}, fixed_time).render(file["context"]);
      if (expected.contains("text")) {
        EXPECT_EQ(made.text, expected["text"].get<std::string>());
      } else {
        ADD_FAILURE() << "wrote " << made.text << " where Jinja2 raises " << expected["error"];
      }
    } catch (const template_error& error) {
      EXPECT_FALSE(expected.contains("text"))
          << error.what() << " where Jinja2 writes " << expected["text"];
    }
  }
}

} // namespace
} // namespace troupe
