// Building, cutting and escaping of marked strings.
#include "model/template/text.hpp"

#include "model/template/unicode.hpp"

#include <algorithm>

namespace troupe::jinja {
namespace {

/// What a text takes beside its bytes.
constexpr std::size_t node_bytes = 128;

} // namespace

text_node::~text_node() {
  if (budget) budget->give(bytes.size() + node_bytes);
}

std::size_t text::length() const { return ascii() ? size() : count_code_points(view()); }

void text_builder::mark(std::size_t begin, std::size_t end) {
  if (begin == end) return;
  if (!untrusted_.empty() && untrusted_.back().end == begin) {
    untrusted_.back().end = end;
  } else {
    untrusted_.push_back({begin, end});
  }
}

void text_builder::append(std::string_view bytes, bool untrusted) {
  budget_->check_text(bytes_.size() + bytes.size());
  const std::size_t begin = bytes_.size();
  bytes_.append(bytes);
  if (untrusted) mark(begin, bytes_.size());
}

void text_builder::append(const text& piece, std::size_t begin, std::size_t end) {
  const std::size_t base = bytes_.size();
  append(piece.view().substr(begin, end - begin));
  if (!piece.has_untrusted()) return;
  const auto& marks = *piece.untrusted();
  auto at = std::partition_point(marks.begin(), marks.end(),
                                 [&](const text_range& m) { return m.end <= begin; });
  for (; at != marks.end() && at->begin < end; ++at) {
    mark(base + std::max(at->begin, begin) - begin, base + std::min(at->end, end) - begin);
  }
}

text text_builder::build(bool markup) && {
  if (bytes_.empty() && !markup) return {};
  budget_->scan(bytes_.size());
  budget_->take(bytes_.size() + node_bytes);
  auto node = std::make_shared<text_node>();
  node->budget = budget_;
  node->bytes = std::move(bytes_);
  node->untrusted = std::move(untrusted_);
  node->ascii = is_ascii(node->bytes);
  node->markup = markup;
  return text(std::move(node));
}

text make_text(render_budget& budget, std::string_view bytes, bool untrusted) {
  text_builder out(budget);
  out.append(bytes, untrusted);
  return std::move(out).build();
}

text slice_bytes(render_budget& budget, const text& whole, std::size_t begin, std::size_t end) {
  if (begin == 0 && end == whole.size()) return whole;
  text_builder out(budget);
  out.append(whole, begin, end);
  return std::move(out).build(whole.markup());
}

text concat(render_budget& budget, const text& left, const text& right) {
  const bool markup = left.markup() || right.markup();
  text_builder out(budget);
  out.append(markup ? escape(budget, left) : left);
  out.append(markup ? escape(budget, right) : right);
  return std::move(out).build(markup);
}

text escape(render_budget& budget, const text& from) {
  if (from.markup()) return from;
  text_builder out(budget);
  each_code_point(from, [&](char32_t code, std::size_t begin, std::size_t size, bool untrusted) {
    switch (code) {
    case '&':
      out.append("&amp;", untrusted);
      break;
    case '<':
      out.append("&lt;", untrusted);
      break;
    case '>':
      out.append("&gt;", untrusted);
      break;
    case '\'':
      out.append("&#39;", untrusted);
      break;
    case '"':
      out.append("&#34;", untrusted);
      break;
    default:
      out.append(from.view().substr(begin, size), untrusted);
    }
  });
  return std::move(out).build(true);
}

text plain(render_budget& budget, const text& from) {
  if (!from.markup()) return from;
  text_builder out(budget);
  out.append(from);
  return std::move(out).build();
}

} // namespace troupe::jinja
