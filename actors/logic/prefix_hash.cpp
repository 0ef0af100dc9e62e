#include "actors/logic/prefix_hash.hpp"

#include <openssl/evp.h>

#include <memory>
#include <new>

namespace troupe {
namespace {

using digest_context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// A context is reused by its thread: making one costs more than hashing a block.
EVP_MD_CTX* fresh_context() {
  thread_local digest_context context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  thread_local const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> sha256{
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free};
  if (!context || !sha256 || EVP_DigestInit_ex(context.get(), sha256.get(), nullptr) != 1)
    throw std::bad_alloc{};
  return context.get();
}

prefix_key finish(EVP_MD_CTX* context) {
  prefix_key key;
  EVP_DigestFinal_ex(context, key.data(), nullptr);
  return key;
}

} // namespace

prefix_key root_key(std::string_view model, std::string_view salt) {
  auto* context = fresh_context();
  const std::uint64_t length = model.size(); // keeps ("ab", "c") apart from ("a", "bc")
  EVP_DigestUpdate(context, &length, sizeof length);
  EVP_DigestUpdate(context, model.data(), model.size());
  EVP_DigestUpdate(context, salt.data(), salt.size());
  return finish(context);
}

prefix_key extend_key(const prefix_key& prefix, std::span<const token_id> tokens) {
  auto* context = fresh_context();
  EVP_DigestUpdate(context, prefix.data(), prefix.size());
  EVP_DigestUpdate(context, tokens.data(), tokens.size_bytes());
  return finish(context);
}

} // namespace troupe
