// Everything here is known when this file is compiled.
#include "app/version.hpp"

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <spdlog/version.h>

#include <utility>
#include <vector>

namespace troupe {
namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::vector<std::string> features() {
  std::vector<std::string> built_in;
#ifndef NDEBUG
  built_in.emplace_back("assertions");
#endif
  const std::string sanitizers = TROUPE_SANITIZERS;
  if (!sanitizers.empty()) built_in.push_back("sanitizers:" + sanitizers);
  return built_in;
}

std::vector<std::pair<std::string, std::string>> libraries() {
  return {
      {"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                            BOOST_VERSION % 100)},
      {"cli11", CLI11_VERSION},
      {"fmt",
       fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)}};
}

} // namespace

std::string version_text() {
  std::string text =
      fmt::format("troupe {}\ncompiler   {}\nbuild      {}\nfeatures   {}\nlibraries ",
                  TROUPE_VERSION, compiler(), TROUPE_BUILD_TYPE,
                  features().empty() ? "none" : fmt::format("{}", fmt::join(features(), ", ")));
  for (const auto& [name, version] : libraries()) text += fmt::format(" {} {}", name, version);
  return text + "\n";
}

std::string version_json() {
  nlohmann::ordered_json out;
  out["name"] = "troupe";
  out["version"] = TROUPE_VERSION;
  out["compiler"] = compiler();
  out["build_type"] = TROUPE_BUILD_TYPE;
  out["features"] = features();
  for (const auto& [name, version] : libraries()) out["libraries"][name] = version;
  return out.dump() + "\n";
}

} // namespace troupe
