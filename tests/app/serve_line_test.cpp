// The command line of serve and chat: what reaches the verbs, and what is refused before.
#include "tests/app/run.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

/// The error of a line that must be refused before anything is served.
std::string refusal(const std::vector<std::string>& words) {
  const outcome result = run(words);
  EXPECT_EQ(result.status, exit_usage);
  EXPECT_FALSE(result.served || result.chatted);
  return result.err;
}

TEST(ServeLine, HandsModelAndFlagsOver) {
  const outcome result = run({"serve", "models/tiny", "--port", "8080", "--kv-memory=4GiB",
                              "--no-prefix-cache", "--log-prompts", "--memory-fraction", "0.25"});
  ASSERT_TRUE(result.served) << result.err;
  settings wanted;
  wanted.model.path = "models/tiny";
  wanted.server.port = 8080;
  wanted.engine.kv_memory = 4096 * mib;
  wanted.engine.prefix_cache = false;
  wanted.engine.memory_fraction = 0.25;
  wanted.log.prompts = true;
  EXPECT_EQ(*result.served, wanted);
  EXPECT_EQ(result.status, exit_done);
}

TEST(ServeLine, TakesSwitchesWithAValue) {
  EXPECT_FALSE(run({"serve", "m", "--prefix-cache=false"}).served->engine.prefix_cache);
  EXPECT_TRUE(run({"serve", "m", "--prefix-cache"}).served->engine.prefix_cache);
  EXPECT_EQ(run({"serve", "--prefix-cache", "m"}).served->model.path, "m");
}

TEST(ServeLine, JoinsAListGivenInParts) {
  const outcome result = run({"serve", "--api-keys", "a", "m", "--api-keys", "b,c"});
  EXPECT_EQ(result.served->server.api_keys, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ServeLine, WarnsOfSecretsOnTheCommandLine) {
  const outcome result = run({"serve", "m", "--api-keys", "hush"});
  EXPECT_EQ(result.err,
            "warning: --api-keys: a secret on the command line is visible to every user "
            "of this machine; use the file or the environment\n");
}

TEST(ServeLine, TakesWordsAfterTwoDashesAsTheyAre) {
  EXPECT_EQ(run({"serve", "--", "-odd"}).served->model.path, "-odd");
}

TEST(ServeLine, PrefersFlagsToTheEnvironment) {
  const environment_variables variables{{"TROUPE_SERVER_PORT", "1"},
                                        {"TROUPE_SERVER_THREADS", "2"}};
  const outcome result = run({"serve", "m", "--port", "3"}, variables);
  EXPECT_EQ(result.served->server.port, 3);
  EXPECT_EQ(result.served->server.threads, 2U);
}

TEST(ServeLine, RefusesUnknownFlagsAndSuggestsTheNearest) {
  EXPECT_EQ(refusal({"serve", "m", "--prot", "80"}),
            "--prot: serve has no such flag; did you mean --port?\n");
  EXPECT_EQ(refusal({"serve", "m", "--max-sequnces=4"}),
            "--max-sequnces: serve has no such flag; did you mean --max-sequences?\n");
  EXPECT_EQ(refusal({"serve", "m", "--engine-threads", "4"}),
            "--engine-threads: serve has no such flag; did you mean --threads?\n");
  EXPECT_EQ(refusal({"serve", "m", "-x"}), "-x: serve has no such flag\n");
  EXPECT_EQ(refusal({"serve", "m", "--url", "x"}), "--url: serve has no such flag\n");
}

TEST(ServeLine, RefusesAFlagGivenTwice) {
  EXPECT_EQ(refusal({"serve", "m", "--port", "1", "--port", "2"}), "--port: is given twice\n");
  EXPECT_EQ(refusal({"serve", "m", "--prefix-cache", "--no-prefix-cache"}),
            "--no-prefix-cache: is given twice\n");
  EXPECT_EQ(refusal({"serve", "m", "--config", "a", "--config", "b"}),
            "--config: is given twice\n");
}

TEST(ServeLine, RefusesAFlagWithoutItsValueOrWithOneTooMany) {
  EXPECT_EQ(refusal({"serve", "m", "--port"}), "--port: needs a value\n");
  EXPECT_EQ(refusal({"serve", "m", "--port="}), "--port: needs a value\n");
  EXPECT_EQ(refusal({"serve", "m", "--no-prefix-cache=x"}), "--no-prefix-cache: takes no value\n");
  EXPECT_EQ(refusal({"chat", "m", "--stats=4"}), "--stats: takes no value\n");
}

TEST(ServeLine, RefusesWrongValuesInTheWordsOfEverySource) {
  EXPECT_EQ(refusal({"serve", "m", "--port", "70000"}),
            "--port: server.port = 70000 is out of range; it takes 1 to 65535\n");
  EXPECT_EQ(refusal({"serve", "m", "--port", "-5"}),
            "--port: server.port = -5 is out of range; it takes 1 to 65535\n");
  EXPECT_EQ(refusal({"serve", "m", "--port", ""}),
            "--port: server.port =  is not a whole number; it takes 1 to 65535\n");
  EXPECT_EQ(
      refusal({"serve", "m", "--kv-memory", "4g"}),
      "--kv-memory: engine.kv_memory = 4g has an unknown unit (known are B, KB, MB, GB, TB, KiB, "
      "MiB, GiB, TiB); it takes 0 to 64TiB\n");
  EXPECT_EQ(refusal({"serve", "m", "--prefix-cache=maybe"}),
            "--prefix-cache: engine.prefix_cache = maybe is not true or false; it takes true or "
            "false\n");
}

TEST(ServeLine, ReportsAllThatIsWrong) {
  const std::string errors = refusal({"serve", "m", "--port", "0", "--threads", "x", "--bogus"});
  EXPECT_NE(errors.find("--port: "), std::string::npos);
  EXPECT_NE(errors.find("--threads: "), std::string::npos);
  EXPECT_NE(errors.find("--bogus: "), std::string::npos);
}

TEST(ServeLine, RefusesNoModelTwoModelsAndWordsTooMany) {
  EXPECT_EQ(refusal({"serve"}), "MODEL: none is given; write troupe serve models/tiny\n");
  EXPECT_EQ(refusal({"serve", "a", "--model", "b"}), "MODEL: is given twice, also as --model\n");
  EXPECT_EQ(refusal({"serve", "a", "b"}), "serve: \"b\" is one word too many; it takes one\n");
}

TEST(ServeLine, TakesTheModelFromTheEnvironment) {
  EXPECT_EQ(run({"serve"}, {{"TROUPE_MODEL_PATH", "m"}}).served->model.path, "m");
}

TEST(ServeLine, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(refusal({"serve", "\xff"}),
            "MODEL: model.path = \\xff is not UTF-8; it takes a text\n");
  EXPECT_EQ(refusal({"chat", "m", "-q", "\xff"}), "--question: is not UTF-8\n");
}

TEST(ServeLine, EscapesWhatItShows) {
  EXPECT_EQ(refusal({"serve", "m", "--\x1b[2J"}), "--\\x1b[2J: serve has no such flag\n");
}

TEST(ServeLine, RefusesAFileThatIsNotThere) {
  EXPECT_EQ(refusal({"serve", "m", "--config", "/nowhere/x.toml"}),
            "/nowhere/x.toml: cannot be read: No such file or directory\n");
  const outcome result = run({"serve", "m"}, {{"TROUPE_CONFIG", "/nowhere/x.toml"}});
  EXPECT_EQ(result.err, "/nowhere/x.toml: cannot be read: No such file or directory\n");
  EXPECT_EQ(result.status, exit_usage);
}

TEST(ChatLine, HandsEverythingOver) {
  const outcome result =
      run({"chat", "m", "-q", "Who are you?", "--system", "Be brief.", "--stats"});
  ASSERT_TRUE(result.chat) << result.err;
  EXPECT_EQ(*result.chat, (chat_options{"", "Who are you?", "Be brief.", true}));
  EXPECT_EQ(result.chatted->model.path, "m");
}

TEST(ChatLine, TellsAnEmptyQuestionFromNone) {
  EXPECT_EQ(run({"chat", "m", "-q", ""}).chat->question, "");
  EXPECT_FALSE(run({"chat", "m"}).chat->question);
  EXPECT_EQ(run({"chat", "m", "-q", "--stats"}).chat->question, "--stats");
}

TEST(ChatLine, TakesAServerInsteadOfAModel) {
  const outcome result = run({"chat", "--url", "http://127.0.0.1:8000"});
  ASSERT_TRUE(result.chat) << result.err;
  EXPECT_EQ(result.chat->url, "http://127.0.0.1:8000");
}

TEST(ChatLine, RefusesBothAndNeither) {
  EXPECT_EQ(refusal({"chat", "m", "--url", "http://127.0.0.1:8000"}),
            "MODEL: is not loaded where --url names a server; leave out one of them\n");
  EXPECT_EQ(refusal({"chat"}),
            "MODEL: none is given, and no --url; write troupe chat models/tiny\n");
  EXPECT_EQ(refusal({"chat", "--url", ""}).find("--url: names no server\n"), 0U);
}

} // namespace
} // namespace troupe
