// The parser's events build the document here instead of in the library, because the library keeps
// the last of duplicate keys and knows no limits.
#include "transport/api/json_body.hpp"

#include <fmt/format.h>

#include <cmath>
#include <unordered_set>
#include <utility>
#include <vector>

namespace troupe {

namespace {

class document_builder final : public nlohmann::json_sax<json> {
 public:
  explicit document_builder(const request_limits& limits) : limits_(limits) {}

  bool null() override { return add(json(nullptr)); }
  bool boolean(bool value) override { return add(json(value)); }
  bool number_integer(number_integer_t value) override { return add(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(json(value)); }
  bool string(string_t& value) override { return add(json(std::move(value))); }
  bool binary(binary_t&) override { return refuse("holds binary data", false); }

  bool start_object(std::size_t) override {
    if (!open(json::object())) return false;
    keys_.emplace_back();
    return true;
  }
  bool key(string_t& name) override {
    auto& seen = keys_.back();
    if (seen.size() == limits_.json_members)
      return refuse(fmt::format("has an object of more than {} members", limits_.json_members),
                    true);
    if (!seen.insert(name).second) return refuse("has the same key twice in one object", false);
    key_ = std::move(name);
    return true;
  }
  bool end_object() override {
    keys_.pop_back();
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    constexpr int number_overflow = 406;
    return refuse(error.id == number_overflow
                      ? std::string("has a number that is out of range")
                      : fmt::format("is not valid JSON near byte {}", position),
                  false);
  }

  std::variant<json, json_fault> result(bool complete) {
    if (complete) return std::move(root_);
    return std::move(fault_);
  }

 private:
  bool refuse(std::string reason, bool too_large) {
    fault_ = {std::move(reason), too_large};
    return false;
  }

  json* place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // Past the library's insertion, which would look for the key in linear time once more.
    std::vector<json::object_t::value_type>& members = parent.get_ref<json::object_t&>();
    members.emplace_back(std::move(key_), std::move(value));
    return &members.back().second;
  }

  bool add(json value) {
    if (++values_ > limits_.json_values)
      return refuse(fmt::format("has more than {} values", limits_.json_values), true);
    place(std::move(value));
    return true;
  }

  bool open(json container) {
    if (open_.size() == limits_.json_depth)
      return refuse(fmt::format("is nested deeper than {} levels", limits_.json_depth), true);
    if (++values_ > limits_.json_values)
      return refuse(fmt::format("has more than {} values", limits_.json_values), true);
    open_.push_back(place(std::move(container)));
    return true;
  }

  const request_limits& limits_;
  json root_;
  std::vector<json*> open_; // from the root to the container being filled
  std::vector<std::unordered_set<std::string>> keys_;
  std::string key_;
  std::size_t values_ = 0;
  json_fault fault_{"is not valid JSON", false};
};

} // namespace

std::variant<json, json_fault> parse_json(std::string_view text, const request_limits& limits) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF")
    return json_fault{"begins with a byte order mark, which JSON does not have", false};
  document_builder builder(limits);
  const bool complete = json::sax_parse(text.begin(), text.end(), &builder);
  return builder.result(complete);
}

} // namespace troupe
