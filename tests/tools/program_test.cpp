// The command line of make_model.
#include "tests/model/model_folder.hpp"
#include "tools/make_model/program.hpp"
#include "tools/make_model/shapes.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace troupe {
namespace {

struct outcome {
  int status = -1;
  std::string out;
  std::string err;
};

outcome run(const std::vector<std::string>& words,
            std::optional<std::size_t> columns = std::nullopt) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = run_make_model(words, out, err, columns);
  return {status, out.str(), err.str()};
}

TEST(MakeModelProgram, ShowsItsFlagsAndShapes) {
  const outcome result = run({"--help"});
  EXPECT_EQ(result.status, 0);
  for (const char* flag : {"--shape", "--out", "--seed", "--dtype", "--shards", "--layers",
                           "--force", "--threads", "[5GB]", "[bf16]"})
    EXPECT_NE(result.out.find(flag), std::string::npos) << flag;
  for (const model_shape& each : all_shapes())
    EXPECT_NE(result.out.find("\n  " + each.name + " "), std::string::npos) << each.name;
}

TEST(MakeModelProgram, SaysWhatIsWrongWithItsFlags) {
  EXPECT_EQ(run({}).err.find("--shape: names no shape\n"), 0U);
  EXPECT_EQ(run({"--shape", "tiny"}).err.find("--out: names no folder\n"), 0U);
  EXPECT_NE(run({"--shap", "tiny"}).err.find("did you mean --shape?"), std::string::npos);
  EXPECT_NE(run({"--dtype", "fp8"}).err.find("it takes f32, f16 or bf16"), std::string::npos);
  EXPECT_NE(run({"--shards", "5 apples"}).err.find("--shards: \"5 apples\""), std::string::npos);
  EXPECT_NE(run({"--shape", "tinny", "--out", "/nowhere"}).err.find("did you mean tiny?"),
            std::string::npos);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"--seed", "-1"}, {"--shape", "tinny", "--out", "/nowhere"}})
    EXPECT_EQ(run(words).status, 2);
}

TEST(MakeModelProgram, SaysWhatItMade) {
  const testing::temporary_folder folder;
  const std::string out = (folder.path() / "m").string();
  const outcome result = run({"--shape", "tiny", "--out", out, "--seed", "3"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.find(out + ": tiny, "), 0U) << result.out;
  EXPECT_EQ(result.err, "");
  const outcome again = run({"--shape", "tiny", "--out", out});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(again.out, "");
  EXPECT_EQ(run({"--shape", "tiny", "--out", out, "--force"}).status, 0);
}

TEST(MakeModelProgram, DrawsABarOnATerminal) {
  const testing::temporary_folder folder;
  const outcome result =
      run({"--shape", "tiny", "--out", (folder.path() / "m").string()}, std::size_t{80});
  EXPECT_EQ(result.err.find("\rweights  ["), 0U);
  EXPECT_NE(result.err.find("100%"), std::string::npos);
}

} // namespace
} // namespace troupe
