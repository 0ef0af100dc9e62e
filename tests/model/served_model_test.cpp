// A folder becomes a served model, or an error that names its file; and the demo model is as good
// on text that it never saw as its card says.
#include "model/served_model.hpp"
#include "model/template/chat_template.hpp"
#include "model/tokenizer/tokenizer.hpp"
#include "tests/model/likelihood.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* concierge = TROUPE_EXAMPLES "/models/concierge";

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// A copy of the demo model's small files beside a link to its weights.
class ServedModel : public ::testing::Test {
 protected:
  ServedModel() {
    for (const char* name : {"config.json", "generation_config.json", "tokenizer.json",
                             "tokenizer_config.json", "chat_template.jinja"})
      std::filesystem::copy(std::filesystem::path(concierge) / name, folder_.path() / name);
    std::filesystem::create_symlink(std::filesystem::path(concierge) / "model.safetensors",
                                    folder_.path() / "model.safetensors");
  }

  std::string refusal() {
    return testing::error_of([&] { load_model(folder_.path(), *device_); });
  }
  void remove(const char* name) { std::filesystem::remove(folder_.path() / name); }
  void set_config_template(const nlohmann::json& value) {
    remove("chat_template.jinja");
    folder_.write("tokenizer_config.json", nlohmann::json{{"chat_template", value}}.dump());
  }
  std::string rendered() {
    const served_model model = load_model(folder_.path(), *device_);
    return model.chat_template ? model.chat_template->render({{"messages", {}}}).text : "none";
  }

  testing::temporary_folder folder_;
  std::unique_ptr<backend> device_ = make_cpu_backend({});
};

TEST_F(ServedModel, LoadsTheDemoModel) {
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto begin = std::chrono::steady_clock::now();
  const served_model model =
      load_model(std::string(concierge) + "/", *device_,
                 [&](std::string_view, std::uint64_t done, std::uint64_t all) {
                   EXPECT_GE(done, last);
                   last = done;
                   total = all;
                 });
  fmt::print("concierge loads in {:.3f} s\n", seconds_since(begin));
  EXPECT_EQ(model.name, "concierge");
  EXPECT_EQ(model.context_length, 2048);
  EXPECT_EQ(model.weight_bytes, 14'688'768U);
  EXPECT_EQ(last, total);
  EXPECT_EQ(model.weight_bytes, total);
  EXPECT_FLOAT_EQ(model.defaults.sampling.temperature, 0.7F);
  EXPECT_THAT(model.defaults.eos, ElementsAre(0, 2));
  EXPECT_EQ(model.tokenizer->size(), 4096U);
  ASSERT_NE(model.chat_template, nullptr);
}

TEST_F(ServedModel, TakesTheTemplateFromItsFileFirst) {
  folder_.write("chat_template.jinja", "from the file");
  folder_.write("tokenizer_config.json", R"({"chat_template":"from the configuration"})");
  EXPECT_EQ(rendered(), "from the file");
}

TEST_F(ServedModel, TakesTheTemplateFromTheTokenizersConfiguration) {
  set_config_template("a string");
  EXPECT_EQ(rendered(), "a string");
  set_config_template(nlohmann::json::array({{{"name", "tool_use"}, {"template", "tools"}},
                                             {{"name", "default"}, {"template", "named"}}}));
  EXPECT_EQ(rendered(), "named");
  set_config_template(nullptr);
  EXPECT_EQ(rendered(), "none");
}

TEST_F(ServedModel, RefusesTemplatesThatAreNone) {
  set_config_template(7);
  EXPECT_THAT(refusal(), HasSubstr("tokenizer_config.json: chat_template must be a string"));
  set_config_template(nlohmann::json::array(
      {{{"name", "a"}, {"template", "x"}}, {{"name", "b"}, {"template", "y"}}}));
  EXPECT_THAT(refusal(), HasSubstr("names a, b, of which none is called default"));
  set_config_template(nlohmann::json::array({{{"name", "a"}}}));
  EXPECT_THAT(refusal(), HasSubstr("a list of {name, template}"));
  set_config_template("{% if %}");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer_config.json: chat template:"));
}

TEST_F(ServedModel, RefusesFoldersThatLackAFileNamingIt) {
  remove("tokenizer.json");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer.json"));
  remove("model.safetensors");
  remove("config.json");
  EXPECT_THAT(refusal(), HasSubstr("config.json: cannot be opened"));
  EXPECT_THAT(testing::error_of([&] { load_model("/nonexistent", *device_); }),
              HasSubstr("/nonexistent: is not a folder"));
}

TEST_F(ServedModel, RefusesATokenizerWithMoreTokensThanTheModel) {
  auto config = nlohmann::json::parse(std::ifstream(folder_.path() / "config.json"));
  config["vocab_size"] = 4095;
  folder_.write("config.json", config.dump());
  EXPECT_THAT(refusal(), HasSubstr("4096 tokens, config.json's vocab_size is 4095"));
}

TEST(Perplexity, OfTheDemoModelOnUnseenDialoguesIsThatOfItsReference) {
  std::vector<token_ids> texts =
      testing::texts_of(concierge, TROUPE_GOLDEN "/concierge/test64.jsonl");
  ASSERT_EQ(texts.size(), 64U);
  std::ifstream golden_file(TROUPE_GOLDEN "/concierge/golden.json");
  const auto golden = nlohmann::json::parse(golden_file)["test64"];
  const auto begin = std::chrono::steady_clock::now();
  const auto got = testing::likelihood_of(testing::loaded_model(concierge), std::move(texts));
  fmt::print("test64: perplexity {:.5f} over {} tokens in {:.1f} s\n", got.perplexity(), got.tokens,
             seconds_since(begin));
  const double expected = golden["perplexity"];
  EXPECT_EQ(got.tokens, golden["tokens"].get<std::size_t>());
  EXPECT_NEAR(got.perplexity(), expected, 1e-4 * expected);
}

} // namespace
} // namespace troupe
