// A page of metrics in Prometheus' text format, read as a scraper would read it.
#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::testing {

class metrics_page {
 public:
  using labels = std::map<std::string, std::string>;

  explicit metrics_page(const std::string& text) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("# TYPE "))
        note_type(line.substr(7));
      else if (!line.empty() && line[0] != '#')
        samples_.push_back(parse(line));
  }

  bool has(std::string_view name) const {
    for (const auto& sample : samples_)
      if (sample.name == name) return true;
    return false;
  }

  /// Every metric's name and type.
  const std::map<std::string, std::string>& types() const { return types_; }

  /// Of the first series of this name that has these labels, and perhaps more.
  std::optional<double> value(std::string_view name, const labels& wanted = {}) const {
    for (const auto& sample : samples_)
      if (sample.name == name && includes(sample.with, wanted)) return sample.value;
    return std::nullopt;
  }

  /// The upper bounds of a histogram's buckets, as they are spelled.
  std::vector<std::string> bounds(const std::string& name) const {
    std::vector<std::string> out;
    for (const auto& sample : samples_)
      if (sample.name == name + "_bucket") out.push_back(sample.with.at("le"));
    return out;
  }

  /// Every series' labels.
  std::vector<labels> all_labels() const {
    std::vector<labels> out;
    for (const auto& sample : samples_) out.push_back(sample.with);
    return out;
  }

  /// counter, gauge or histogram.
  std::string type(const std::string& name) const {
    const auto found = types_.find(name);
    return found == types_.end() ? std::string{} : found->second;
  }

 private:
  struct sample {
    std::string name;
    labels with;
    double value = 0;
  };

  static bool includes(const labels& all, const labels& wanted) {
    for (const auto& [name, value] : wanted) {
      const auto found = all.find(name);
      if (found == all.end() || found->second != value) return false;
    }
    return true;
  }

  void note_type(const std::string& line) {
    const auto space = line.find(' ');
    types_[line.substr(0, space)] = line.substr(space + 1);
  }

  // name{label="value",...} number
  static sample parse(const std::string& line) {
    sample out;
    const auto space = line.rfind(' ');
    out.value = std::strtod(line.c_str() + space, nullptr);
    const auto brace = line.find('{');
    out.name = line.substr(0, std::min(brace, space));
    if (brace == std::string::npos) return out;
    std::istringstream pairs{line.substr(brace + 1, line.rfind('}') - brace - 1)};
    for (std::string pair; std::getline(pairs, pair, ',');) {
      const auto equals = pair.find('=');
      out.with[pair.substr(0, equals)] = pair.substr(equals + 2, pair.size() - equals - 3);
    }
    return out;
  }

  std::vector<sample> samples_;
  std::map<std::string, std::string> types_;
};

} // namespace troupe::testing
