// The punctuation is the template's, the strings (with their quotes) are whose their text was.
#include "model/template/json.hpp"

#include "model/template/operators.hpp"
#include "model/template/print.hpp"
#include "model/template/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::jinja {
namespace {

class json_writer {
 public:
  json_writer(runtime& run, const json_style& style) : run_(run), style_(style), out_(run.budget) {}

  void write(const value& v) {
    const nested level(run_.budget, 4);
    run_.budget.step();
    if (const text* whole = as_text(v)) return write_text(*whole);
    if (const dict* entries = as_dict(v)) return write_dict(*entries);
    const sequence* items = as_sequence(v);
    if (items && items->form <= sequence_form::tuple) return write_items(*items);
    if (!write_scalar(v)) {
      throw fault(fmt::format("tojson cannot write a {}; convert it to a text, a list or a dict",
                              type_name(v)));
    }
  }

  text finish() && { return std::move(out_).build(); }

 private:
  bool write_scalar(const value& v) {
    if (is_none(v)) {
      out_.append("null");
    } else if (const auto* flag = std::get_if<bool>(&v)) {
      out_.append(*flag ? "true" : "false");
    } else if (const auto* whole = std::get_if<std::int64_t>(&v)) {
      out_.append(fmt::format("{}", *whole));
    } else if (const auto* real = std::get_if<double>(&v)) {
      if (std::isnan(*real)) {
        out_.append("NaN");
      } else if (std::isinf(*real)) {
        out_.append(*real < 0 ? "-Infinity" : "Infinity");
      } else {
        out_.append(format_real(*real));
      }
    } else {
      return false;
    }
    return true;
  }

  static std::string escaped(char32_t code) {
    switch (code) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      break;
    }
    if (code >= 0x110000) code = 0xDC00 + code - 0x110000;
    if (code < 0x10000) return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
    const auto rest = static_cast<std::uint32_t>(code) - 0x10000;
    return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10U), 0xDC00 + (rest & 0x3FFU));
  }

  void write_text(const text& whole) {
    out_.append("\"", whole.has_untrusted());
    std::size_t plain = 0;
    const std::string_view bytes = whole.view();
    each_code_point(whole, [&](char32_t code, std::size_t begin, std::size_t size, bool untrusted) {
      if (code >= 0x20 && code != '"' && code != '\\' && (code < 0x7F || !style_.ensure_ascii))
        return;
      out_.append(whole, plain, begin);
      out_.append(escaped(code), untrusted);
      plain = begin + size;
    });
    out_.append(whole, plain, bytes.size());
    out_.append("\"", whole.has_untrusted());
  }

  void new_line() {
    if (!style_.indent) return;
    out_.append("\n");
    for (std::size_t i = 0; i < level_; ++i) out_.append(*style_.indent);
  }

  void write_items(const sequence& items) {
    if (items.items.empty()) return out_.append("[]");
    out_.append("[");
    ++level_;
    for (std::size_t i = 0; i < items.items.size(); ++i) {
      if (i > 0) out_.append(style_.item_separator);
      new_line();
      write(items.items[i]);
    }
    --level_;
    new_line();
    out_.append("]");
  }

  void write_dict(const dict& entries) {
    if (entries.size() == 0) return out_.append("{}");
    std::vector<const dict::entry*> order;
    for (const dict::entry& entry : entries.entries()) order.push_back(&entry);
    if (style_.sort_keys) {
      run_.budget.step(order.size());
      std::stable_sort(order.begin(), order.end(), [&](const auto* a, const auto* b) {
        return less(run_.budget, a->first, b->first);
      });
    }
    out_.append("{");
    ++level_;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out_.append(style_.item_separator);
      new_line();
      write_key(order[i]->first);
      out_.append(style_.key_separator);
      write(order[i]->second);
    }
    --level_;
    new_line();
    out_.append("}");
  }

  void write_key(const value& key) {
    if (const text* whole = as_text(key)) return write_text(*whole);
    out_.append("\"");
    if (!write_scalar(key))
      throw fault(fmt::format("tojson cannot write a {} as a key; use a text", type_name(key)));
    out_.append("\"");
  }

  runtime& run_;
  const json_style& style_;
  text_builder out_;
  std::size_t level_ = 0;
};

} // namespace

text to_json(runtime& run, const value& v, const json_style& style) {
  json_writer writer(run, style);
  writer.write(v);
  return std::move(writer).finish();
}

} // namespace troupe::jinja
