// Help on the terminal, never wider than 100 columns, and the page of documentation made of it.
#pragma once

#include "app/verbs.hpp"

#include <string>

namespace troupe {

/// For somebody who wrote `troupe` alone: the three things that people do first.
std::string short_usage();

/// All verbs, one line each.
std::string program_help();

/// One verb: its flags, and its options by group.
std::string verb_help(const verb& which);

/// One group of the verb's options with ranges and, of settings, the names in files and
/// environment. Empty: there is no such group.
std::string group_help(const verb& which, const std::string& group);

/// docs/cli.md.
std::string cli_page();

} // namespace troupe
