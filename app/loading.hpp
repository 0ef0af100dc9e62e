// Loading a model so that whoever waits can watch: a bar on a terminal, lines of log elsewhere.
#pragma once

#include "app/company.hpp"
#include "app/log.hpp"

#include <exception>
#include <functional>

namespace troupe {

/// Loading was not wanted any more.
struct loading_stopped : std::exception {};

/// `unwanted` is asked from time to time while the weights come; where it says so, throws
/// loading_stopped. Throws what company::load throws.
company_facts load_with_progress(company& all, const logger& log,
                                 const std::function<bool()>& unwanted = {});

} // namespace troupe
