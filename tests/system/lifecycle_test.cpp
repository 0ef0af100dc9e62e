// The program's life: it starts or says why not, is alive while it loads, and ends when it is told
// to, not before its work is done.
#include "tests/system/crowd.hpp"
#include "tests/system/serving.hpp"
#include "tests/transport/raw_client.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <thread>

namespace troupe {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

double since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

std::string long_story(std::uint32_t tokens) {
  return json{{"prompt", "It was a dark and stormy night"},
              {"max_tokens", tokens},
              {"temperature", 0},
              {"ignore_eos", true},
              {"stream", true},
              {"stream_options", {{"include_usage", true}}}}
      .dump();
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Lifecycle, ServesSoonAndEndsSoonWhenIdle) {
  serving server;
  ASSERT_TRUE(server.ready()) << server.process().err();
  EXPECT_EQ(server.client().get("/health").status, 200);
  const auto begin = steady_clock::now();
  server.process().signal(SIGTERM);
  EXPECT_EQ(server.process().wait(seconds(20)), 0) << server.process().err();
  fmt::print("ready after {:.3f} s, ended {:.3f} s after SIGTERM\n", server.seconds(),
             since(begin));
}

TEST(Lifecycle, FinishesARunningStreamWhenItIsToldToEnd) {
  serving server;
  ASSERT_TRUE(server.ready()) << server.process().err();
  crowd reference(server.port());
  reference.add({"/v1/completions", long_story(1500), {}, {}, true});
  reference.run(std::chrono::minutes(10));
  ASSERT_TRUE(reference.at(0).done) << reference.at(0).error;
  // A connection that stays open: after the signal no new one is let in.
  crowd clients(server.port());
  clients.add({"/v1/completions", long_story(1500), {}, {}, true});
  bool told = false;
  clients.run(std::chrono::minutes(10), [&] {
    if (clients.at(0).events > 20 && !told) {
      server.process().signal(SIGTERM);
      told = true;
    }
    return true;
  });
  ASSERT_TRUE(told);
  EXPECT_TRUE(clients.at(0).done);
  EXPECT_EQ(clients.at(0).completion_tokens, 1500U);
  EXPECT_EQ(clients.at(0).text(), reference.at(0).text());
  EXPECT_EQ(server.process().wait(seconds(20)), 0) << server.process().err();
}

TEST(Lifecycle, ASecondSignalCutsWhatRuns) {
  serving server({"--drain-timeout", "10m"});
  ASSERT_TRUE(server.ready()) << server.process().err();
  crowd clients(server.port());
  for (int i = 0; i < 64; ++i) clients.add({"/v1/completions", long_story(2000), {}, {}, true});
  int told = 0;
  steady_clock::time_point begin;
  clients.run(std::chrono::minutes(10), [&] {
    if (told == 0 && clients.at(0).events > 3) {
      server.process().signal(SIGTERM);
      begin = steady_clock::now();
      ++told;
    } else if (told == 1 && since(begin) > 0.3) {
      server.process().signal(SIGTERM);
      ++told;
    }
    return true;
  });
  EXPECT_EQ(told, 2);
  EXPECT_EQ(server.process().wait(seconds(20)), 0) << server.process().err();
  fmt::print("ended {:.1f} s after the first signal\n", since(begin));
}

TEST(Lifecycle, LoadIsCutInTheMiddleOfItsWorkTenTimes) {
  std::vector<double> ends;
  for (int i = 0; i < 10; ++i) {
    serving server({"--drain-timeout", "0s"});
    ASSERT_TRUE(server.ready()) << server.process().err();
    crowd clients(server.port());
    for (int each = 0; each < 32; ++each)
      clients.add({"/v1/completions", long_story(2000), {}, {}, true});
    steady_clock::time_point begin;
    clients.run(seconds(60), [&] {
      if (begin == steady_clock::time_point{} &&
          clients.at(static_cast<std::size_t>(i)).events > 0) {
        begin = steady_clock::now();
        server.process().signal(SIGTERM);
      }
      return true;
    });
    EXPECT_EQ(server.process().wait(seconds(30)), 0) << i << server.process().err();
    ends.push_back(since(begin));
  }
  fmt::print("ended after {:.3f} s at most\n", *std::max_element(ends.begin(), ends.end()));
}

/// Whether new connections are refused within some seconds.
bool lets_nobody_in(const serving& server) {
  for (const auto begin = steady_clock::now(); since(begin) < 20;) {
    try {
      (void)server.client().get("/livez");
    } catch (const std::runtime_error&) {
      return true;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

TEST(Lifecycle, RefusesWhatComesWhileItDrains) {
  serving server;
  ASSERT_TRUE(server.ready()) << server.process().err();
  // Connections that are there before the signal, a request begun on one of them.
  raw_client begun(server.port());
  const auto body = long_story(3);
  const auto head = fmt::format(
      "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.size());
  begun.send(head + body.substr(0, 10));
  crowd clients(server.port());
  clients.add({"/v1/completions", long_story(1500), {}, {}, true});
  std::string answer;
  clients.run(std::chrono::minutes(10), [&] {
    if (!answer.empty() || clients.at(0).events < 5) return true;
    server.process().signal(SIGTERM);
    EXPECT_TRUE(lets_nobody_in(server));
    begun.send(body.substr(10));
    answer = begun.read_until("server_is_draining");
    return true;
  });
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: "), std::string::npos) << answer;
  EXPECT_TRUE(clients.at(0).done);
  EXPECT_EQ(clients.at(0).completion_tokens, 1500U);
  EXPECT_EQ(server.process().wait(seconds(20)), 0) << server.process().err();
}

TEST(Lifecycle, LoadStartsAndEndsThirtyTimes) {
  std::vector<double> ends;
  std::vector<double> starts;
  for (int i = 0; i < 30; ++i) {
    serving server;
    ASSERT_TRUE(server.ready()) << server.process().err();
    starts.push_back(server.seconds());
    if (i % 2 == 0) {
      crowd clients(server.port());
      clients.add({"/v1/completions", long_story(20), {}, {}, true});
      clients.run(seconds(20));
      EXPECT_TRUE(clients.at(0).done);
    }
    const auto begin = steady_clock::now();
    server.process().signal(i % 3 == 0 ? SIGINT : SIGTERM);
    ASSERT_EQ(server.process().wait(seconds(30)), 0) << i << server.process().err();
    ends.push_back(since(begin));
  }
  std::sort(ends.begin(), ends.end());
  std::sort(starts.begin(), starts.end());
  fmt::print("ready after {:.3f} s in the median, {:.3f} s at most; ended after {:.3f} s in the "
             "median, {:.3f} s at most\n",
             starts[15], starts.back(), ends[15], ends.back());
}

TEST(Lifecycle, IsKilledWithoutATrace) {
  const auto port = free_port();
  for (int i = 0; i < 3; ++i) {
    child killed({"serve", serving::example(), "--port", std::to_string(port)});
    const http_client client(fmt::format("http://127.0.0.1:{}", port));
    int status = 0;
    for (const auto begin = steady_clock::now(); status != 200 && since(begin) < 30;) {
      try {
        status = client.get("/health").status;
      } catch (const std::runtime_error&) {
        std::this_thread::sleep_for(milliseconds(5));
      }
    }
    ASSERT_EQ(status, 200) << i << killed.err();
    killed.signal(SIGKILL);
    EXPECT_EQ(killed.wait(seconds(10)), -SIGKILL);
  }
}

TEST(Lifecycle, SaysThatThePortIsInUse) {
  serving server;
  ASSERT_TRUE(server.ready()) << server.process().err();
  child second({"serve", serving::example(), "--port", std::to_string(server.port())});
  EXPECT_EQ(second.wait(seconds(20)), 1);
  EXPECT_NE(second.err().find(
                fmt::format("cannot listen on 127.0.0.1:{}: the port is in use", server.port())),
            std::string::npos)
      << second.err();
  EXPECT_EQ(lines(second.err()), 1U) << second.err();
}

TEST(Lifecycle, SaysInOneLineWhatIsWrongWithAModel) {
  const testing::temporary_folder folder;
  for (const auto& entry : std::filesystem::directory_iterator(serving::example()))
    std::filesystem::copy(entry.path(), folder.path() / entry.path().filename());
  const auto refusal = [&](const std::string& path) {
    serving server({}, path);
    EXPECT_FALSE(server.ready());
    EXPECT_EQ(server.process().wait(seconds(20)), 1);
    const auto errors = server.process().err();
    std::string last;
    std::istringstream all(errors);
    std::size_t count = 0;
    for (std::string line; std::getline(all, line); last = line)
      if (line.find("\"error\"") != std::string::npos) ++count;
    EXPECT_EQ(count, 1U) << errors;
    EXPECT_NE(last.find("cannot serve"), std::string::npos) << errors;
    return last;
  };
  EXPECT_NE(refusal("/nowhere/at/all").find("/nowhere/at/all"), std::string::npos);
  std::filesystem::resize_file(folder.path() / "model.safetensors", 1'000'000);
  EXPECT_NE(refusal(folder.path()).find("model.safetensors"), std::string::npos);
  folder.write("tokenizer.json", "{");
  EXPECT_NE(refusal(folder.path()).find("tokenizer.json"), std::string::npos);
  folder.write("config.json", R"({"model_type":"llama","hidden_size":-4})");
  EXPECT_NE(refusal(folder.path()).find("config.json"), std::string::npos);
}

// A model of many tensors, so that there is time to look at it while it loads.
void write_large_model(const testing::temporary_folder& folder) {
  constexpr std::int64_t width = 1024;
  constexpr std::int64_t layers = 12;
  auto config = testing::small_config();
  config.update({{"hidden_size", width},
                 {"intermediate_size", width},
                 {"num_hidden_layers", layers},
                 {"num_attention_heads", 16},
                 {"num_key_value_heads", 16},
                 {"head_dim", 64},
                 {"vocab_size", 4096}});
  folder.write("config.json", config.dump());
  testing::f32_tensors weights;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::size_t size = 1;
    for (const auto length : shape) size *= static_cast<std::size_t>(length);
    weights[name] = {std::move(shape), std::vector<float>(size, 0.01F)};
  };
  add("model.embed_tokens.weight", {4096, width});
  add("model.norm.weight", {width});
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const auto at = fmt::format("model.layers.{}.", layer);
    for (const auto* name : {"input_layernorm", "post_attention_layernorm"})
      add(at + name + ".weight", {width});
    for (const auto* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                             "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"})
      add(at + name + ".weight", {width, width});
  }
  folder.write("model.safetensors", testing::safetensors_file(weights));
  for (const auto* name : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"})
    std::filesystem::copy_file(std::filesystem::path(serving::example()) / name,
                               folder.path() / name);
}

TEST(Lifecycle, LoadSaysHowFarItIsWhileItLoads) {
  const testing::temporary_folder folder;
  write_large_model(folder);
  serving server({}, folder.path());
  const auto client = server.client();
  std::vector<json> stages;
  int refused = 0;
  for (int status = 0; status != 200 && !server.process().wait(milliseconds(0));) {
    try {
      const auto health = client.get("/health");
      status = health.status;
      if (status == 503) stages.push_back(json::parse(health.body));
      if (status == 503 && client.post("/v1/completions", long_story(3)).status == 503) ++refused;
    } catch (const std::runtime_error&) {
    }
  }
  EXPECT_TRUE(server.ready()) << server.process().err();
  ASSERT_FALSE(stages.empty());
  EXPECT_GT(refused, 0);
  bool weights = false;
  for (const auto& each : stages) {
    const auto text = each.dump();
    EXPECT_NE(text.find("loading"), std::string::npos) << text;
    weights = weights || text.find("weights") != std::string::npos;
  }
  EXPECT_TRUE(weights) << stages.back();
  fmt::print("{} looks while it loaded for {:.2f} s; {}\n", stages.size(), server.seconds(),
             stages.back().dump());
}

TEST(Lifecycle, LoadEndsWhenItIsToldTo) {
  const testing::temporary_folder folder;
  write_large_model(folder);
  serving server({}, folder.path());
  while (!server.process().wait(milliseconds(0)) &&
         server.process().err().find("tokenizer") == std::string::npos)
    std::this_thread::sleep_for(milliseconds(1));
  const auto begin = steady_clock::now();
  server.process().signal(SIGTERM);
  EXPECT_EQ(server.process().wait(seconds(20)), 0) << server.process().err();
  EXPECT_EQ(server.process().out(), ""); // it never served
  fmt::print("ended {:.3f} s after SIGTERM\n", since(begin));
}

} // namespace
} // namespace troupe
