// The one template of text.hpp: a walk over code points that knows, at each, whether it is the
// caller's.
#pragma once

#include "model/template/text.hpp"
#include "model/template/unicode.hpp"

namespace troupe::jinja {

/// Calls visit(code, begin, size, untrusted) for each code point in order.
template <class Visit>
void each_code_point(const text& from, Visit visit) {
  const std::string_view bytes = from.view();
  const std::vector<text_range>* marks = from.untrusted();
  std::size_t next_mark = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const code_point found = decode(bytes, at);
    while (marks && next_mark < marks->size() && (*marks)[next_mark].end <= at) ++next_mark;
    const bool untrusted =
        marks && next_mark < marks->size() && (*marks)[next_mark].begin < at + found.size;
    visit(found.code, at, found.size, untrusted);
    at += found.size;
  }
}

template <class Append>
text map_code_points(render_budget& budget, const text& from, Append append) {
  budget.step(from.size() / 64);
  text_builder out(budget);
  std::string piece;
  each_code_point(from, [&](char32_t code, std::size_t, std::size_t, bool untrusted) {
    piece.clear();
    append(piece, code);
    out.append(piece, untrusted);
  });
  return std::move(out).build(from.markup());
}

} // namespace troupe::jinja
