// The engine's string: immutable UTF-8 bytes that remember which of them came from the caller's
// values. Every operation on strings goes through text_builder, which carries the marks along;
// there is no other way to make a text.
#pragma once

#include "model/template/budget.hpp"
#include "model/template/rendered_text.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::jinja {

struct text_node {
  text_node() = default;
  text_node(const text_node&) = delete;
  text_node& operator=(const text_node&) = delete;
  ~text_node();

  std::string bytes;
  std::vector<text_range> untrusted; ///< sorted, disjoint, not touching.
  bool markup = false; ///< went through `safe` or `escape`: adding to it escapes what is added.
  bool ascii = true;
  render_budget* budget = nullptr; ///< that holds these bytes, if any; it outlives the node.
};

/// A shared handle, cheap to copy. The default is the empty text.
class text {
 public:
  text() = default;
  explicit text(std::shared_ptr<const text_node> node) : node_(std::move(node)) {}

  /// A text whose node lives elsewhere and longer, as a template's literals do: copies count no
  /// references.
  static text borrowed(const text_node& node) {
    return text(std::shared_ptr<const text_node>(std::shared_ptr<void>(), &node));
  }

  std::string_view view() const {
    return node_ ? std::string_view(node_->bytes) : std::string_view();
  }
  std::size_t size() const { return view().size(); }
  bool empty() const { return view().empty(); }
  bool markup() const { return node_ && node_->markup; }
  bool ascii() const { return !node_ || node_->ascii; }
  /// In code points, as Python counts.
  std::size_t length() const;
  bool has_untrusted() const { return node_ && !node_->untrusted.empty(); }
  const std::vector<text_range>* untrusted() const { return node_ ? &node_->untrusted : nullptr; }

 private:
  std::shared_ptr<const text_node> node_;
};

/// Puts a text together from pieces. Throws `fault` where a limit is passed.
class text_builder {
 public:
  explicit text_builder(render_budget& budget) : budget_(&budget) {}

  void append(std::string_view bytes, bool untrusted = false);
  void append(const text& piece) { append(piece, 0, piece.size()); }
  /// Bytes [begin, end) of a text with their marks.
  void append(const text& piece, std::size_t begin, std::size_t end);

  std::string_view view() const { return bytes_; }
  text build(bool markup = false) &&;
  rendered_text finish() && { return {std::move(bytes_), std::move(untrusted_)}; }

 private:
  void mark(std::size_t begin, std::size_t end);

  render_budget* budget_;
  std::string bytes_;
  std::vector<text_range> untrusted_;
};

/// Template text: trusted.
text make_text(render_budget& budget, std::string_view bytes, bool untrusted = false);
/// Bytes [begin, end), which must lie inside.
text slice_bytes(render_budget& budget, const text& whole, std::size_t begin, std::size_t end);
text concat(render_budget& budget, const text& left, const text& right);
/// HTML's five characters replaced, as `escape` does; a markup text is returned as it is.
text escape(render_budget& budget, const text& from);
/// Not markup any more.
text plain(render_budget& budget, const text& from);

/// Each code point replaced by what `append` writes for it; the marks follow.
template <class Append>
text map_code_points(render_budget& budget, const text& from, Append append);

} // namespace troupe::jinja

#include "model/template/text_map.hpp"
