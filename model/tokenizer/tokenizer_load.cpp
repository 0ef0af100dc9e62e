// Puts a tokenizer together from the files of a folder. Each part reads its own field and refuses
// what it does not support; here is what concerns several of them: that every id has one token, and
// every token one id.
#include "model/model_error.hpp"
#include "model/tokenizer/json_field.hpp"
#include "model/tokenizer/post_processor.hpp"
#include "model/tokenizer/tokenizer_file.hpp"
#include "model/tokenizer/tokenizer_parts.hpp"
#include "model/tokenizer/tokenizer_settings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace troupe {
namespace {

// The tokens of model.vocab and the added ones under one numbering.
struct numbering {
  std::vector<std::string> spellings; // by id
  string_index ids;
  std::vector<added_token> added;
};

std::vector<added_token> read_added_tokens(const json_field& document) {
  std::vector<added_token> added;
  const auto field = document.find("added_tokens");
  if (!field) return added;
  for (const auto& entry : field->elements()) {
    const auto id = entry.at("id").integer(0, static_cast<std::int64_t>(max_vocabulary) - 1);
    added.push_back(read_added_token(entry, static_cast<token_id>(id)));
  }
  return added;
}

// An added token may be in model.vocab too, under the same id.
void add_tokens(const json_field& document, std::string_view field, std::vector<added_token> tokens,
                bool skip_known, numbering& out,
                std::vector<std::pair<std::string, token_id>>& entries) {
  for (auto& token : tokens) {
    const auto same = [&](const added_token& other) { return other.content == token.content; };
    const auto already_added = std::any_of(out.added.begin(), out.added.end(), same);
    if (already_added && skip_known) continue;
    if (already_added) document.refuse(fmt::format("{} has \"{}\" twice", field, token.content));
    const auto known = out.ids.find(token.content);
    if (known >= 0 && known != token.id) {
      document.refuse(fmt::format("{} has \"{}\" with the id {}, but model.vocab with {}", field,
                                  token.content, token.id, known));
    }
    if (known < 0) {
      out.ids.insert(token.content, token.id);
      entries.emplace_back(token.content, token.id);
    }
    out.added.push_back(std::move(token));
  }
}

numbering number(const tokenizer_file& file, const json_field& document,
                 tokenizer_settings& settings) {
  numbering out;
  out.ids = string_index(file.vocabulary.size());
  std::vector<std::pair<std::string, token_id>> entries;
  entries.reserve(file.vocabulary.size());
  for (const auto& [spelling, id] : file.vocabulary) {
    if (!out.ids.insert(spelling, static_cast<token_id>(id)))
      document.refuse(fmt::format("model.vocab has \"{}\" twice", spelling));
    entries.emplace_back(spelling, static_cast<token_id>(id));
  }
  add_tokens(document, "added_tokens", read_added_tokens(document), false, out, entries);
  add_tokens(document, "added_tokens_decoder (of tokenizer_config.json)", std::move(settings.added),
             true, out, entries);

  out.spellings.resize(entries.size());
  std::vector<bool> taken(entries.size());
  for (auto& [spelling, id] : entries) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= entries.size()) {
      document.refuse(
          fmt::format("\"{}\" has the id {}, but there are only {} tokens: some id below has none",
                      spelling, id, entries.size()));
    }
    if (taken[index])
      document.refuse(
          fmt::format("\"{}\" and \"{}\" both have the id {}", out.spellings[index], spelling, id));
    taken[index] = true;
    out.spellings[index] = std::move(spelling);
  }
  return out;
}

// A special token is looked for in the text as it is, even where the file says in normalized text:
// there it would only be found behind a space, where the normalizer writes one in front of every
// text.
std::pair<added_token_finder, added_token_finder>
make_finders(std::vector<added_token> added, const normalizer& normal, const json_field& document) {
  std::vector<added_token> in_text, in_normalized;
  for (auto& token : added) {
    if (token.special || !token.normalized) {
      in_text.push_back(std::move(token));
      continue;
    }
    auto content = normal.apply(token.content);
    if (content.empty())
      document.refuse(fmt::format("added_tokens: \"{}\" is empty once normalized", token.content));
    token.content = std::move(content);
    in_normalized.push_back(std::move(token));
  }
  return {added_token_finder(std::move(in_text)), added_token_finder(std::move(in_normalized))};
}

void set_presence(std::optional<bool> wanted, const char* role, const char* setting,
                  const tokenizer_settings& settings, const string_index& ids,
                  std::vector<token_id>& side) {
  if (!wanted) return;
  const auto spelled = settings.special.find(role);
  const auto id = spelled == settings.special.end() ? -1 : ids.find(spelled->second);
  if (id < 0 && !*wanted) return;
  if (id < 0)
    throw model_error(
        fmt::format("tokenizer_config.json: {} is true, but {} is no token", setting, role));
  const auto present = std::find(side.begin(), side.end(), id) != side.end();
  if (*wanted && !present) side.push_back(id);
  if (!*wanted) std::erase(side, id);
}

} // namespace

tokenizer tokenizer::load(const std::filesystem::path& folder) {
  const auto file = read_tokenizer_file(folder / "tokenizer.json");
  auto settings = read_tokenizer_settings(folder);
  const json_field document(*file.rest, "tokenizer.json");
  const auto model = document.at("model");
  if (const auto type = model.string_or("type", "BPE"); type != "BPE") {
    model.at("type").refuse(fmt::format("\"{}\" is not supported; only BPE is", type));
  }
  if (file.vocabulary.empty()) model.refuse("has no vocab");

  auto numbered = number(file, document, settings);
  std::vector<bool> special(numbered.spellings.size());
  for (const auto& token : numbered.added)
    special[static_cast<std::size_t>(token.id)] = token.special;

  const auto normalizer_field = document.find("normalizer");
  auto normal = normalizer_field ? normalizer(*normalizer_field) : normalizer();
  auto [in_text, in_normalized] = make_finders(std::move(numbered.added), normal, document);
  const auto pieces_field = document.find("pre_tokenizer");
  auto pieces = pieces_field ? pre_tokenizer(*pieces_field) : pre_tokenizer();
  const auto around_field = document.find("post_processor");
  auto around =
      around_field ? read_post_processor(*around_field, numbered.spellings.size()) : surroundings();
  set_presence(settings.add_bos_token, "bos_token", "add_bos_token", settings, numbered.ids,
               around.before);
  set_presence(settings.add_eos_token, "eos_token", "add_eos_token", settings, numbered.ids,
               around.after);

  bpe merging(file, model, pieces.byte_level());
  token_text texts(document.at("decoder"), numbered.spellings);
  return tokenizer(std::unique_ptr<const parts>(
      new parts{std::move(in_text), std::move(in_normalized), std::move(normal), std::move(pieces),
                std::move(merging), std::move(around.before), std::move(around.after),
                std::move(numbered.spellings), std::move(numbered.ids), std::move(special),
                std::move(texts), std::move(settings.special)}));
}

} // namespace troupe
