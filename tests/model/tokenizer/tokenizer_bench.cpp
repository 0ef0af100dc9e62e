// Measures a tokenizer: how long it takes to load, how fast it encodes a file, and how its time
// grows with text that repeats itself. Usage: tokenizer_bench FOLDER [TEXT_FILE]
#include "model/tokenizer/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>

namespace {

// Of this program's processor time, so that others on the machine count as little as can be.
double seconds_of(auto&& action) {
  const auto start = std::clock();
  action();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

double best_of(int rounds, auto&& action) {
  auto best = seconds_of(action);
  for (int i = 1; i < rounds; ++i) best = std::min(best, seconds_of(action));
  return best;
}

std::string repeated(const std::string& unit, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: tokenizer_bench FOLDER [TEXT_FILE]\n");
    return 2;
  }
  fmt::print("load: {:.1f} ms\n",
             1e3 * best_of(5, [&] { static_cast<void>(troupe::tokenizer::load(argv[1])); }));
  const auto tokenizer = troupe::tokenizer::load(argv[1]);
  if (argc > 2) {
    std::ifstream file(argv[2], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::size_t tokens = 0;
    const auto seconds = best_of(3, [&] { tokens = tokenizer.encode(text, false).size(); });
    fmt::print("{}: {} bytes, {} tokens, {:.1f} MB/s\n", argv[2], text.size(), tokens,
               static_cast<double>(text.size()) / seconds / 1e6);
  }
  for (const std::string unit : {"a", " ", "ab1 ", "\u200D\U0001F469", "\u0301\u0323", "<|"}) {
    const auto measure = [&](std::size_t bytes) {
      const auto text = repeated(unit, bytes);
      return best_of(7, [&] { static_cast<void>(tokenizer.encode(text, false)); });
    };
    const auto once = measure(1'000'000), twice = measure(2'000'000);
    fmt::print("{:?} again and again: 1 MB in {:.1f} ms, 2 MB in {:.2f} times that\n", unit,
               once * 1e3, twice / once);
  }
  return 0;
}
