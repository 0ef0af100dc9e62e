// Loading a model so that whoever waits can watch: a bar on a terminal, lines of log elsewhere.
#pragma once

#include "app/company.hpp"
#include "app/log.hpp"

namespace troupe {

company_facts load_with_progress(company& all, const logger& log);

} // namespace troupe
