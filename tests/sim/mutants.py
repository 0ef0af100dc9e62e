"""The planted bugs: (name, source in actors/logic, text, replacement). The text must be found exactly once; where a part
of it stands between « and », only that part is replaced. A text that ends with ; or } is a statement, any other an
expression."""

POOL = "block_pool.cpp"
SCHEDULER = "batch_scheduler.cpp"
STREAM = "continuation.cpp"
STOPS = "stop_matcher.cpp"
HASH = "prefix_hash.cpp"
DOOR = "admission_queue.cpp"

MUTANTS = [
    # Blocks.
    ("idle blocks that are hit count as available", POOL, "available() - idle_hits", "available()"),
    ("a shared block is freed by its first user", POOL, "if (--block.users > 0) return;", "--block.users;"),
    ("a block in use stays idle", POOL,
     "if (block.users++ == 0 && block.indexed) idle_.erase(block.idle_place);", "block.users++;"),
    ("the last token comes from the cache", POOL, "(ids.size() - 1) / block_tokens_", "ids.size() / block_tokens_"),
    ("salts do not keep apart", POOL, "root_key(model_, request.salt)", 'root_key(model_, "")'),
    ("an evicted block stays indexed", POOL, "index_.erase(block.key);", ";"),
    ("the next block is published", POOL, "holder.blocks[holder.whole++]",
     "holder.blocks[++holder.whole % holder.blocks.size()]"),
    ("a release leaves one block behind", POOL, "blocks.rbegin()",
     "blocks.empty() ? blocks.rbegin() : blocks.rbegin() + 1"),
    ("an extension is not remembered", POOL, "found->second.blocks.push_back(grant.blocks.back());", ";"),
    ("two blocks share a key", POOL, "index_.try_emplace(holder.prefix, id).second",
     "(index_[holder.prefix] = id, true)"),
    ("a lease claims one cached block too many", POOL, "kv_grant grant{request.sequence, fresh.blocks, "
     "«fresh.whole * block_tokens_»}", "(fresh.whole + 1) * block_tokens_"),
    ("an extension is granted without room", POOL, "request.blocks > available()", "request.blocks > available() + 1"),
    ("keys forget what came before", HASH,
     "EVP_DigestUpdate(context, prefix.data(), prefix.size());", ";"),

    # Scheduling.
    ("results of another life are taken", SCHEDULER, "result.incarnation != incarnation_", "false"),
    ("blocks are released under a step", SCHEDULER, "if (e.touching > 0) return;", ";"),
    ("the run after the end is not dropped", SCHEDULER, "if (e.then == fate::end) return settle_fate(e);", ";"),
    ("one token too many is planned", SCHEDULER, "expected() - spec.prompt_tokens >= spec.max_tokens",
     "expected() - spec.prompt_tokens > spec.max_tokens"),
    ("the length is noticed one token late", SCHEDULER, "else if («e.generated() >= e.spec.max_tokens»)",
     "e.generated() > e.spec.max_tokens"),
    ("stop tokens are not looked for", SCHEDULER,
     "if («std::find(e.spec.stop_ids.begin(), e.spec.stop_ids.end(), id) != e.spec.stop_ids.end()»)", "false"),
    ("a closed slot is not told", SCHEDULER,
     "if (std::exchange(e.opened, false)) closed_.push_back(e.slot);", "e.opened = false;"),
    ("a slot is given back twice", SCHEDULER, "free_slots_.push_back(e.slot);",
     "free_slots_.push_back(e.slot); free_slots_.push_back(e.slot);"),
    ("the turn ignores priorities", SCHEDULER, "std::tie(a->spec.priority, a->spec.arrival, a->spec.id) <\n"
     "         std::tie(b->spec.priority, b->spec.arrival, b->spec.id)", "a->spec.id < b->spec.id"),
    ("decode rows are not counted", SCHEDULER, "--budget;", ";"),
    ("a chunk is larger than the budget", SCHEDULER, "std::min({budget, e.backlog(), room})",
     "std::min(e.backlog(), room)"),
    ("a chunk is larger than its blocks", SCHEDULER, "const auto room = «static_cast<std::uint32_t>(e.blocks * "
     "limits_.block_tokens) - e.planned»", "e.backlog()"),
    ("every chunk samples", SCHEDULER, "e.planned + rows == e.expected()", "true"),
    ("growth is not told", SCHEDULER,
     "if (!e.to_grow.empty()) plan.grown.push_back({e.slot, std::exchange(e.to_grow, {})});",
     "if (!e.opened) plan.grown.push_back({e.slot, std::exchange(e.to_grow, {})});"),
    ("a granted extension is not counted", SCHEDULER,
     "e->blocks += static_cast<std::uint32_t>(grant.blocks.size());", ";"),
    ("a preemption forgets tokens", SCHEDULER, "++preemptions_;", "e.ids.resize(e.spec.prompt_tokens);"),
    ("blocks are published before they are computed", SCHEDULER, "e.computed / limits_.block_tokens",
     "std::min(e.planned, static_cast<std::uint32_t>(e.ids.size())) / limits_.block_tokens"),
    ("the parked run on", SCHEDULER, "if («then == fate::park») {", "false"),
    ("a cancel while leasing is lost", SCHEDULER, "«e.then = what;» // settled when", ";"),
    ("a resume on the way out is lost", SCHEDULER,
     "e->then = e->where == phase::leasing ? fate::none : fate::preempt;", ";"),
    ("one step too many is under way", SCHEDULER, "under_way_.size() >= limits_.steps_in_flight",
     "under_way_.size() > limits_.steps_in_flight"),
    ("a denied extension is waited for for ever", SCHEDULER,
     "«e->extending = false;»\n    e->short_of_blocks", ";"),
    ("nobody makes room", SCHEDULER, "if (!starved) return;", "return;"),
    ("what never fits is not refused", SCHEDULER, "needed > limits_.total_blocks", "false"),
    ("a failed slot runs on", SCHEDULER, "out.end.has_value()", "out.end && *out.end != finish_reason::error"),
    ("no step after a preemption at once", SCHEDULER, "«if (leaving_ > 0) return;» // its slot", "return;"),
    ("blocks are asked for too late", SCHEDULER, "std::max(limits_.lease_ahead / 2, 1U)", "limits_.lease_ahead / 2"),
    ("those on their way out have a backlog", SCHEDULER, "if (then != fate::none) return 0;", ";"),
    ("the line stays blocked when its head leaves", SCHEDULER,
     "if (&e == *waiting_.begin()) out_of_blocks_ = false;", ";"),
    ("the line stays blocked after a release", SCHEDULER,
     "«out_of_blocks_ = false;»\n  for (auto* other", ";"),
    ("an old denial blocks the line", SCHEDULER, "itself && «e->asked_after == releases_»", "true"),
    ("the prompt is reported again after a preemption", SCHEDULER, "out.prompt_first = e.prompt_told;", ";"),
    ("denied leases still count as under way", SCHEDULER,
     "«--leasing_;»\n    leasing_tokens_ -= e->ids.size();", ";"),

    # Streams.
    ("tokens seen before are taken again", STREAM, "generated - std::min(what.first, generated)", "0 * generated"),
    ("a stream moves without its tokens", STREAM, "std::make_shared<const token_ids>(ids_)", "spec_.ids"),
    ("a stream has endless lives", STREAM, "++deaths_ > rules_.deaths", "false"),
    ("credit is not needed", STREAM, "credit_ == 0 || !has_piece()", "!has_piece()"),
    ("the end comes before the last piece", STREAM, "!awaited_ || has_piece()", "!awaited_"),
    ("the end comes twice", STREAM, "end_taken_ = true;", ";"),
    ("what was held back is lost", STREAM, "«piece_.text += stops_.flush();»\n  }\n  end_ =", ";"),
    ("a stop token is shown", STREAM, "if (is_stop_token && !rules_.include_stop) return;", ";"),
    ("prompt reports are taken again", STREAM, "prompt_told_ - std::min(what.prompt_first, prompt_told_)",
     "0 * prompt_told_"),
    ("half a stop string is shown", STOPS, "held_.size() - longest", "held_.size()"),
    ("a later stop string wins", STOPS, "stop_end < end", "stop_end > end"),

    # The door.
    ("the door forgets who entered", DOOR, "«--entering_;»\n  waiting_.emplace", ";"),
    ("one too many may wait", DOOR, "waiting() + sequences > limits_.max_waiting",
     "waiting() + sequences > limits_.max_waiting + 1"),
]
