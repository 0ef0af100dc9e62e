// See regex.hpp. JIT-compiled code is tried first; where its stack (a megabyte at most) is too
// small, the interpreter, which keeps its state on the heap, searches instead. Both count steps
// against the same limit.
#include "model/tokenizer/regex.hpp"

#include "model/model_error.hpp"
#include "model/tokenizer/regex_dialect.hpp"
#include "model/tokenizer/utf8.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <set>
#include <stdexcept>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace troupe {
namespace {

constexpr std::uint32_t step_limit = 10'000'000;
constexpr std::uint32_t trial_step_limit = 50'000;
constexpr std::size_t trial_length = 500;
constexpr std::uint32_t heap_limit_kib = 64 * 1024;

struct release {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
  void operator()(pcre2_jit_stack* p) const { pcre2_jit_stack_free(p); }
};
template <class T>
using owned = std::unique_ptr<T, release>;

std::string error_text(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

} // namespace

struct regex::code {
  owned<pcre2_code> compiled;
  bool jit = false;

  // The step limit of one search; negative results are PCRE2's errors.
  int match(std::string_view text, std::size_t at, pcre2_match_data* data,
            pcre2_match_context* context) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    if (jit) {
      const auto result =
          pcre2_jit_match(compiled.get(), subject, text.size(), at, 0, data, context);
      if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
    }
    return pcre2_match(compiled.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                       data, context);
  }
};

// What a search needs of its own while the compiled code is shared.
struct regex::search::scratch {
  scratch(const pcre2_code* code, std::uint32_t limit)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)) {
    if (!data || !context) throw std::bad_alloc();
    pcre2_set_match_limit(context.get(), limit);
    pcre2_set_heap_limit(context.get(), heap_limit_kib);
    pcre2_jit_stack_assign(context.get(), &scratch::stack_of, this);
  }

  // PCRE2 asks for a stack at each search; it is made for the first one, starting small and growing
  // in place.
  static pcre2_jit_stack* stack_of(void* self) {
    auto& stack = static_cast<scratch*>(self)->stack;
    if (!stack) stack.reset(pcre2_jit_stack_create(32 << 10, 1 << 20, nullptr));
    return stack.get();
  }

  owned<pcre2_match_data> data;
  owned<pcre2_match_context> context;
  owned<pcre2_jit_stack> stack;
};

regex::regex(std::string_view pattern) {
  const auto translated = from_oniguruma(pattern);
  int error = 0;
  PCRE2_SIZE at = 0;
  auto made = std::make_shared<code>();
  constexpr auto options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  made->compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()),
                                     translated.size(), options, &error, &at, nullptr));
  if (!made->compiled) {
    throw std::invalid_argument(
        fmt::format("\"{}\" is no regular expression: {}", pattern, error_text(error)));
  }
  made->jit = pcre2_jit_compile(made->compiled.get(), PCRE2_JIT_COMPLETE) == 0;
  code_ = std::move(made);
  if (!endures_repetition(pattern)) {
    throw std::invalid_argument(fmt::format("\"{}\" takes over {} steps on {} equal characters",
                                            pattern, trial_step_limit, trial_length));
  }
}

// A pattern whose time explodes does so on one character again and again, and most readily on one
// that it names. What it names comes once more behind, parted from the rest, since a text without
// something that a match needs is not even tried.
bool regex::endures_repetition(std::string_view pattern) const {
  std::set<char> letters{'a', '1', ' ', '\n', '!'};
  for (const char c : pattern) {
    if (c > ' ' && c < 0x7F) letters.insert(c);
  }
  const auto behind = '\x01' + std::string(letters.begin(), letters.end());
  search::scratch scratch(code_->compiled.get(), trial_step_limit);
  for (const char letter : letters) {
    const auto text = std::string(trial_length, letter) + behind;
    const auto result = code_->match(text, 0, scratch.data.get(), scratch.context.get());
    if (result < 0 && result != PCRE2_ERROR_NOMATCH) return false;
  }
  return true;
}

regex regex::literal(std::string_view text) { return regex(quoted(text)); }

regex::search::search(const regex& pattern, std::string_view text)
    : code_(*pattern.code_), text_(text),
      scratch_(std::make_shared<scratch>(code_.compiled.get(), step_limit)) {}

std::optional<text_range> regex::search::next() {
  if (at_ > text_.size()) return std::nullopt;
  const auto result = code_.match(text_, at_, scratch_->data.get(), scratch_->context.get());
  if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (result < 0)
    throw model_error(
        fmt::format("the tokenizer's pattern could not be searched for: {}", error_text(result)));
  const auto* ends = pcre2_get_ovector_pointer(scratch_->data.get());
  const text_range match{ends[0], ends[1]};
  at_ = match.end > match.begin
            ? match.end
            : match.end + (match.end < text_.size() ? utf8_length(text_[match.end]) : 1);
  return match;
}

} // namespace troupe
