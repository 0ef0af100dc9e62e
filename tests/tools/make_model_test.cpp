// Whole folders: their bytes, their files, what is refused before anything is written; and that
// what was made can be served.
#include "model/safetensors.hpp"
#include "model/served_model.hpp"
#include "model/template/chat_template.hpp"
#include "model/tokenizer/detokenizer.hpp"
#include "model/tokenizer/tokenizer.hpp"
#include "tests/model/model_folder.hpp"
#include "tests/model/served.hpp"
#include "tools/make_model/byte_tokenizer.hpp"
#include "tools/make_model/make_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using testing::temporary_folder;

make_options tiny_in(const fs::path& out) {
  make_options options;
  options.shape = "tiny";
  options.out = out;
  return options;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

TEST(MakeModel, WritesTheSameBytesOnAnyNumberOfThreads) {
  const temporary_folder folder;
  for (const int threads : {1, 3}) {
    make_options options = tiny_in(folder.path() / std::to_string(threads));
    options.threads = threads;
    make_model(options);
  }
  for (const std::string& name : names_in(folder.path() / "1"))
    EXPECT_EQ(contents(folder.path() / "1" / name), contents(folder.path() / "3" / name)) << name;
  EXPECT_EQ(names_in(folder.path() / "1"), names_in(folder.path() / "3"));
}

TEST(MakeModel, WritesOtherWeightsFromAnotherSeed) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path() / "a");
  make_model(options);
  options.out = folder.path() / "b";
  options.seed = 1;
  make_model(options);
  EXPECT_NE(contents(folder.path() / "a/model.safetensors"),
            contents(folder.path() / "b/model.safetensors"));
}

TEST(MakeModel, WritesThePiecesOfALargeTensorToTheirPlaces) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path());
  options.shape = "qwen3-0.6b"; // its embedding is 74 pieces
  options.layers = 1;
  const made_model made = make_model(options);
  const safetensors files(folder.path());
  EXPECT_EQ(made.parameters * 2, files.bytes());
  const stored_tensor& tensor = files.find("model.embed_tokens.weight");
  std::vector<std::byte> read(tensor.bytes);
  files.read(tensor, 0, read);
  std::vector<std::byte> wanted(tensor.bytes);
  const auto parameters = parameters_of(read_architecture(folder.path()));
  random_weights(0, dtype::bf16).fill(wanted, parameters.front(), 0);
  EXPECT_TRUE(read == wanted);
}

TEST(MakeModel, CutsIntoShardsThatHoldTheSameTensors) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path() / "one");
  EXPECT_EQ(make_model(options).files, 1U);
  options.out = folder.path() / "many";
  options.shard_bytes = 50'000;
  const std::size_t files = make_model(options).files;
  EXPECT_GT(files, 2U);
  EXPECT_EQ(names_in(options.out).size(), files + 5); // index, two configs, two of the tokenizer
  const safetensors one(folder.path() / "one");
  const safetensors many(folder.path() / "many");
  ASSERT_EQ(one.tensors().size(), many.tensors().size());
  for (const auto& [name, tensor] : one.tensors()) {
    std::vector<std::byte> a(tensor.bytes);
    one.read(tensor, 0, a);
    std::vector<std::byte> b(many.find(name).bytes);
    many.read(many.find(name), 0, b);
    EXPECT_EQ(a, b) << name;
  }
}

TEST(MakeModel, KeepsTheWeightsOfTheLayersThatACutLeaves) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path() / "whole");
  make_model(options);
  options.out = folder.path() / "cut";
  options.layers = 1;
  make_model(options);
  const safetensors whole(folder.path() / "whole");
  const safetensors cut(folder.path() / "cut");
  EXPECT_EQ(read_architecture(folder.path() / "cut").layers, 1);
  EXPECT_FALSE(cut.contains("model.layers.1.mlp.up_proj.weight"));
  for (const auto& [name, tensor] : cut.tensors()) {
    std::vector<std::byte> a(tensor.bytes);
    cut.read(tensor, 0, a);
    std::vector<std::byte> b(tensor.bytes);
    whole.read(whole.find(name), 0, b);
    EXPECT_EQ(a, b) << name;
  }
}

TEST(MakeModel, RefusesMoreLayersThanTheShapeHas) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path() / "x");
  options.layers = 3;
  EXPECT_EQ(testing::error_of([&] { make_model(options); }),
            "3 layers were asked for; tiny has 1 to 2");
  EXPECT_FALSE(fs::exists(options.out));
}

TEST(MakeModel, LeavesAFolderWithFilesAloneUnlessForced) {
  const temporary_folder folder;
  folder.write("notes.txt", "mine");
  folder.write("model-00001-of-00009.safetensors", "old");
  make_options options = tiny_in(folder.path());
  EXPECT_NE(testing::error_of([&] { make_model(options); }).find("has files in it; --force"),
            std::string::npos);
  EXPECT_EQ(names_in(folder.path()).size(), 2U);
  options.force = true;
  make_model(options);
  EXPECT_EQ(contents(folder.path() / "notes.txt"), "mine");
  EXPECT_FALSE(fs::exists(folder.path() / "model-00001-of-00009.safetensors"));
  EXPECT_TRUE(fs::exists(folder.path() / "model.safetensors"));
}

TEST(MakeModel, SaysBeforeWritingThatTheDiskHasNoRoom) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path() / "x/y");
  options.shape = "llama-3.1-8b";
  const auto problem = [&](std::uint64_t room) {
    return testing::error_of([&] { make_model(options, {}, [&](const auto&) { return room; }); });
  };
  EXPECT_NE(problem(16'000'000'000).find("16.1 GB are needed, 16.0 GB are free there"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder.path() / "x"));
  EXPECT_EQ(free_room(options.out), free_room(folder.path()));
}

TEST(MakeModel, CountsTheRoomOfWhatItReplaces) {
  const temporary_folder folder;
  make_options options = tiny_in(folder.path());
  folder.write("model.safetensors", std::string(9'000'000, ' '));
  options.force = true;
  EXPECT_NO_THROW(make_model(options, {}, [](const auto&) { return 0; }));
}

TEST(MakeModel, MakesWhatIsLoadedAndGeneratesTheSameTextAgain) {
  const temporary_folder folder;
  for (const dtype type : {dtype::bf16, dtype::f16, dtype::f32}) {
    make_options options = tiny_in(folder.path() / std::to_string(static_cast<int>(type)));
    options.type = type;
    make_model(options);
    const testing::loaded_model model(options.out);
    const auto words = tokenizer::load(options.out);
    testing::job job{.ids = words.encode("Once upon a time", true),
                     .sampling = testing::greedy(),
                     .new_tokens = 60};
    job.sampling.logprobs = 0;
    const auto first = testing::generate(model, {job}).front();
    EXPECT_EQ(first.error, "");
    EXPECT_EQ(testing::generate(model, {job}).front().tokens, first.tokens);
    EXPECT_EQ(first.tokens.size(), 60U);
    for (const token_report& each : first.reports) {
      EXPECT_GT(each.logprob, std::log(1.0F / 384)); // more likely than an even choice
      EXPECT_LT(each.logprob, -0.01F);
    }
  }
}

TEST(MakeModel, MakesWhatSaysManyThings) {
  const temporary_folder folder;
  make_model(tiny_in(folder.path()));
  const testing::loaded_model model(folder.path());
  const auto said = testing::generate(model, {{.ids = {256}, .new_tokens = 200}}).front();
  const std::set<token_id> different(said.tokens.begin(), said.tokens.end());
  EXPECT_GT(different.size(), 80U);
}

TEST(MakeModel, MakesAFolderThatIsServed) {
  const temporary_folder folder;
  make_model(tiny_in(folder.path()));
  const auto device = make_cpu_backend({.threads = 1});
  const served_model model = load_model(folder.path(), *device);
  EXPECT_EQ(model.defaults.eos, std::vector{byte_tokenizer_eos});
  EXPECT_EQ(model.tokenizer->size(), 384U);
  ASSERT_NE(model.chat_template, nullptr);
  const auto rendered =
      model.chat_template->render({{"messages", {{{"role", "user"}, {"content", "Hi"}}}},
                                   {"add_generation_prompt", true},
                                   {"bos_token", std::string(model.tokenizer->bos_token())}});
  EXPECT_EQ(rendered.text, "<|begin|>user: Hi\nassistant: ");
  EXPECT_EQ(model.tokenizer->encode(rendered.text, false).front(), byte_tokenizer_bos);
}

TEST(ByteTokenizer, ReadsEveryTextAsItsBytes) {
  const temporary_folder folder;
  make_model(tiny_in(folder.path()));
  const auto words = tokenizer::load(folder.path());
  const std::string text = "a b\tc\n\xC3\xA9 \xF0\x9F\x8E\xAD";
  const auto ids = words.encode(text, false);
  EXPECT_EQ(ids.size(), text.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(ids[i], static_cast<unsigned char>(text[i]));
  EXPECT_EQ(words.decode(ids, false), text);
}

TEST(ByteTokenizer, SpellsEveryIdOfALargeVocabulary) {
  const temporary_folder folder;
  folder.write("tokenizer.json", tokenizer_json(152064));
  const auto words = std::make_shared<const tokenizer>(tokenizer::load(folder.path()));
  ASSERT_EQ(words->size(), 152064U);
  EXPECT_EQ(words->decode(std::vector<token_id>{258, 283, 284, 152063}, true),
            " a z aa " + filler_word(152063).substr(1));
  for (token_id id = 258; id < 152064; id += 997) EXPECT_FALSE(words->token_bytes(id).empty());
  EXPECT_EQ(words->decode(std::vector<token_id>{65, 200'000, 66}, true), "AB");
}

} // namespace
} // namespace troupe
