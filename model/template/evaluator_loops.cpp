// The `loop` variable. Looking one item ahead runs the loop's condition early, and only where the
// template asks what comes.
#include "model/template/evaluator.hpp"
#include "model/template/operators.hpp"

namespace troupe::jinja {

bool evaluator::look_ahead(loop_state& loop) {
  if (loop.ahead) return true;
  if (loop.known_next < loop.known_rest.size()) {
    loop.ahead = loop.known_rest[loop.known_next++];
    return true;
  }
  for (;;) {
    const std::vector<value>& items = loop.live ? loop.live->items : loop.items;
    if (loop.next >= items.size()) return false;
    value item = items[loop.next++];
    if (loop.source->condition) {
      run_.budget.step();
      scope& inside = make_scope(loop.outer);
      assign(*loop.source->target, item, inside);
      if (!truth(evaluate(*loop.source->condition, inside))) continue;
    }
    loop.ahead = std::move(item);
    return true;
  }
}

bool evaluator::advance(loop_state& loop) {
  if (!look_ahead(loop)) return false;
  loop.previous = std::move(loop.current);
  loop.current = std::move(loop.ahead);
  loop.ahead.reset();
  ++loop.index0;
  return true;
}

std::size_t evaluator::loop_length(loop_state& loop) {
  if (!loop.source->condition) return (loop.live ? loop.live->items : loop.items).size();
  std::vector<value> rest;
  while (look_ahead(loop)) {
    rest.push_back(std::move(*loop.ahead));
    loop.ahead.reset();
  }
  // The condition has been asked of every item: what is left is visited without it being asked
  // again.
  const std::size_t length = static_cast<std::size_t>(loop.index0 + 1) + rest.size();
  loop.known_rest = std::move(rest);
  loop.known_next = 0;
  return length;
}

value evaluator::loop_attribute(loop_state& loop, const expression& node) {
  const std::string& name = node.text;
  const auto index = loop.index0;
  if (name == "index0") return index;
  if (name == "index") return index + 1;
  if (name == "first") return index == 0;
  if (name == "last") return !look_ahead(loop);
  if (name == "length") return static_cast<std::int64_t>(loop_length(loop));
  if (name == "revindex") return static_cast<std::int64_t>(loop_length(loop)) - index;
  if (name == "revindex0") return static_cast<std::int64_t>(loop_length(loop)) - index - 1;
  if (name == "depth") return std::int64_t{1};
  if (name == "depth0") return std::int64_t{0};
  if (name == "previtem") return loop.previous ? *loop.previous : value(undefined{&name});
  if (name == "nextitem") return look_ahead(loop) ? *loop.ahead : value(undefined{&name});
  return undefined{&name};
}

} // namespace troupe::jinja
