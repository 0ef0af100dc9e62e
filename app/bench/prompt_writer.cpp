#include "app/bench/prompt_writer.hpp"

#include "app/bench/draws.hpp"

#include <numeric>
#include <stdexcept>
#include <utility>

namespace troupe {

std::string_view prompt_words() {
  return "time year people way day man thing woman life child world school state family student "
         "group country problem hand part place case week company system program question work "
         "government number night point home water room mother area money story fact month lot "
         "right study book eye job word business issue side kind head house service friend father "
         "power hour game line end member law car city community name president team minute idea "
         "body information back parent face others level office door health person art war history "
         "party result change morning reason research girl guy moment air teacher force education "
         "good new first last long great little own other old big high different small large next "
         "early young important few public bad same able use make know take see come think look "
         "want give find tell ask seem feel try leave call red blue green white black river road "
         "table light music summer winter garden animal paper letter food heart sea street voice";
}

std::vector<std::uint32_t> middle_of_vocabulary(std::uint32_t size) {
  const std::uint32_t edge = size / 8;
  std::vector<std::uint32_t> ids(size - 2 * edge);
  std::iota(ids.begin(), ids.end(), edge);
  return ids;
}

prompt_writer::prompt_writer(std::vector<std::string> pieces, std::uint64_t seed, char open,
                             char between, char close)
    : pieces_(std::move(pieces)), seed_(seed), open_(open), between_(between), close_(close) {
  if (pieces_.empty()) throw std::invalid_argument("there is nothing to make prompts of");
  for (std::string& each : pieces_) each += between_;
}

prompt_writer prompt_writer::of_ids(const std::vector<std::uint32_t>& ids, std::uint64_t seed) {
  std::vector<std::string> pieces;
  pieces.reserve(ids.size());
  for (const std::uint32_t id : ids) pieces.push_back(std::to_string(id));
  return {std::move(pieces), seed, '[', ',', ']'};
}

prompt_writer prompt_writer::of_words(std::uint64_t seed) {
  std::vector<std::string> pieces;
  std::string_view left = prompt_words();
  while (!left.empty()) {
    pieces.emplace_back(left.substr(0, left.find(' ')));
    left.remove_prefix(std::min(left.size(), pieces.back().size() + 1));
  }
  return {std::move(pieces), seed, '"', ' ', '"'};
}

void prompt_writer::append(const std::vector<prompt_run>& prompt, std::string& out) const {
  const auto count = static_cast<std::uint32_t>(pieces_.size());
  out += open_;
  const std::size_t begin = out.size();
  for (const prompt_run& run : prompt) {
    draws drawn(seed_, static_cast<std::uint32_t>(run.source), run.number);
    for (std::uint32_t i = 0; i < run.tokens; ++i) out += pieces_[drawn.below(count)];
  }
  if (out.size() > begin) out.pop_back();
  out += close_;
}

} // namespace troupe
