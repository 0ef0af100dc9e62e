// The keys of the prefix cache against SHA-256 computed apart, in one piece.
#include "actors/logic/prefix_hash.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

prefix_key sha256(const std::string& bytes) {
  prefix_key out;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data());
  return out;
}

std::string bytes_of(const std::vector<token_id>& tokens) {
  std::string out;
  for (const auto id : tokens)
    for (int shift = 0; shift < 32; shift += 8)
      out += static_cast<char>(static_cast<std::uint32_t>(id) >> shift);
  return out;
}

TEST(PrefixHash, RootIsSha256OfTheModelsLengthTheModelAndTheSalt) {
  EXPECT_EQ(root_key("qwen", "salt"), sha256(std::string{"\4\0\0\0\0\0\0\0", 8} + "qwensalt"));
}

TEST(PrefixHash, ExtensionIsSha256OfThePrefixsKeyAndTheTokens) {
  const auto root = root_key("m", "");
  const std::vector<token_id> tokens{1, 70'000, 3};
  EXPECT_EQ(extend_key(root, tokens),
            sha256(std::string{root.begin(), root.end()} + bytes_of(tokens)));
}

TEST(PrefixHash, KeepsModelAndSaltApart) {
  EXPECT_NE(root_key("ab", "c"), root_key("a", "bc"));
  EXPECT_NE(root_key("", "abc"), root_key("abc", ""));
}

TEST(PrefixHash, NamesThePrefixAndNotTheBlock) {
  const std::vector<token_id> first{1, 2};
  const std::vector<token_id> other{3, 4};
  const std::vector<token_id> next{5, 6};
  const auto root = root_key("m", "");
  EXPECT_NE(extend_key(extend_key(root, first), next), extend_key(extend_key(root, other), next));
  EXPECT_EQ(extend_key(extend_key(root, first), next), extend_key(extend_key(root, first), next));
}

} // namespace
} // namespace troupe
