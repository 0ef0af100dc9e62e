// Contexts are made by ucontext and switched by setjmp and longjmp, which saves two system calls at
// each switch.
#include "tests/kernels/simt/block.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <deque>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace simt {

namespace {

constexpr std::size_t stack_bytes = 128 << 10;

using stack = std::unique_ptr<std::byte[]>;

/// Stacks that fibers of earlier blocks have left.
thread_local std::vector<stack> spare_stacks;

stack take_stack() {
  if (spare_stacks.empty()) return stack(new std::byte[stack_bytes]);
  stack out = std::move(spare_stacks.back());
  spare_stacks.pop_back();
  return out;
}

/// Tells AddressSanitizer which stack runs next.
struct stack_switch {
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  void leave(const void* to, std::size_t bytes) {
    __sanitizer_start_switch_fiber(&fake, to, bytes);
  }
  /// Frees what it keeps for the stack that is left.
  static void leave_for_good(const void* to, std::size_t bytes) {
    __sanitizer_start_switch_fiber(nullptr, to, bytes);
  }
  void arrive(const void** from = nullptr, std::size_t* bytes = nullptr) {
    __sanitizer_finish_switch_fiber(fake, from, bytes);
  }
#else
  void leave(const void*, std::size_t) {}
  static void leave_for_good(const void*, std::size_t) {}
  void arrive(const void** = nullptr, std::size_t* = nullptr) {}
#endif
};

} // namespace

struct block::fiber {
  ucontext_t start{};
  std::jmp_buf resume{};
  simt::stack stack = take_stack();
  stack_switch sanitizer;
  bool started = false;
  bool done = false;
  std::optional<std::uint64_t> arrived_at_cluster; // the generation that it may go on in
  const barrier* waits_for = nullptr;
  const char* waits_at = "";
  const std::function<bool()>* waits_until = nullptr;
  struct {
    std::vector<std::function<void()>> open; // not committed
    std::deque<std::vector<std::function<void()>>> groups;
  } lines[2];

  bool ready() const {
    return !done && waits_for == nullptr && (waits_until == nullptr || (*waits_until)());
  }
};

} // namespace simt

namespace {

/// What runs on this OS thread.
struct stage {
  simt::block* block = nullptr;
  std::jmp_buf scheduler{};
  simt::stack_switch sanitizer;
  const void* stack = nullptr;
  std::size_t stack_size = 0;
  std::exception_ptr failure;
};

thread_local stage on_stage;

} // namespace

// The variables that every CUDA kernel reads.
thread_local simt::index3 threadIdx, blockIdx, blockDim, gridDim;

namespace simt {

block& block::current() {
  if (on_stage.block == nullptr) throw std::logic_error("no kernel is running");
  return *on_stage.block;
}

block::block(const std::function<void()>& kernel, const launched& as, index3 at, std::uint32_t seed,
             cluster& with)
    : kernel_(kernel), as_(as), at_(at), cluster_(with),
      number_(static_cast<unsigned>(with.blocks.size())), shared_(as.shared_bytes, std::byte{0xFF}),
      random_(seed), fibers_(std::size_t{as.threads.x} * as.threads.y * as.threads.z),
      alive_(static_cast<unsigned>(fibers_.size())) {
  for (auto& f : fibers_) f = std::make_unique<fiber>();
}

block::~block() {
  for (auto& f : fibers_) spare_stacks.push_back(std::move(f->stack));
}

void block::run(const std::function<void()>& kernel, const launched& as, std::span<const index3> at,
                std::uint32_t seed) {
  cluster all;
  for (const index3& place : at)
    all.blocks.push_back(std::unique_ptr<block>(
        new block(kernel, as, place, seed + static_cast<std::uint32_t>(all.blocks.size()), all)));
  gridDim = as.grid;
  blockDim = as.threads;
  on_stage.failure = nullptr;
  try {
    all.run_all();
  } catch (...) {
    on_stage.block = nullptr;
    throw;
  }
  on_stage.block = nullptr;
}

unsigned block::cluster::alive() const {
  unsigned count = 0;
  for (const auto& each : blocks) count += each->alive_;
  return count;
}

void block::cluster::run_all() {
  while (alive() > 0) {
    bool somebody = false;
    for (const auto& each : blocks) somebody = each->step() || somebody;
    if (!somebody) blocks.front()->stuck();
  }
  for (const auto& each : blocks)
    if (!each->background_.empty()) throw std::logic_error("a block ends before its copies do");
}

bool block::step() {
  on_stage.block = this;
  blockIdx = at_;
  std::vector<unsigned> ready;
  for (unsigned t = 0; t < fibers_.size(); ++t)
    if (fibers_[t]->ready()) ready.push_back(t);
  if (!background_.empty() && (ready.empty() || random_() % 4 == 0)) {
    do_in_background();
    return true;
  }
  std::shuffle(ready.begin(), ready.end(), random_);
  for (const unsigned t : ready) {
    resume(t);
    if (on_stage.failure) std::rethrow_exception(on_stage.failure);
  }
  return !ready.empty();
}

block& block::neighbour(unsigned number) const {
  if (number >= cluster_.blocks.size() || cluster_.blocks[number]->alive_ == 0)
    throw std::logic_error("a block of the cluster is asked that is not there, or no longer");
  return *cluster_.blocks[number];
}

void block::run_as(const std::function<void()>& work) {
  block* const before = std::exchange(on_stage.block, this);
  work();
  on_stage.block = before;
}

void block::do_in_background() {
  std::swap(background_[random_() % background_.size()], background_.back());
  const auto work = std::move(background_.back());
  background_.pop_back();
  work();
}

void block::stuck() const {
  std::string text = "threads wait for each other for ever:";
  for (unsigned t = 0; t < fibers_.size() && text.size() < 400; ++t)
    if (!fibers_[t]->done)
      text += " " + std::to_string(t) + " at " + std::string(fibers_[t]->waits_at) + ",";
  text.back() = '.';
  throw std::logic_error(text);
}

// On a new fiber's stack: runs the kernel and goes back to run_all() for good.
void block::enter() {
  block& self = *on_stage.block;
  fiber& mine = *self.fibers_[self.running_];
  mine.sanitizer.arrive(&on_stage.stack, &on_stage.stack_size);
  try {
    self.kernel_();
    self.settle_later(0);
  } catch (...) {
    on_stage.failure = std::current_exception();
  }
  mine.done = true;
  self.returned();
  stack_switch::leave_for_good(on_stage.stack, on_stage.stack_size);
  _longjmp(on_stage.scheduler, 1);
}

void block::resume(unsigned thread) {
  fiber& next = *fibers_[thread];
  running_ = thread;
  const index3& threads = as_.threads;
  threadIdx = {thread % threads.x, thread / threads.x % threads.y,
               thread / (threads.x * threads.y)};
  if (_setjmp(on_stage.scheduler) == 0) {
    on_stage.sanitizer.leave(next.stack.get(), stack_bytes);
    if (next.started) _longjmp(next.resume, 1);
    next.started = true;
    getcontext(&next.start);
    next.start.uc_stack.ss_sp = next.stack.get();
    next.start.uc_stack.ss_size = stack_bytes;
    makecontext(&next.start, &block::enter, 0);
    setcontext(&next.start);
  }
  on_stage.sanitizer.arrive();
}

void block::pause() {
  fiber& mine = *fibers_[running_];
  if (_setjmp(mine.resume) == 0) {
    mine.sanitizer.leave(on_stage.stack, on_stage.stack_size);
    _longjmp(on_stage.scheduler, 1);
  }
  mine.sanitizer.arrive(&on_stage.stack, &on_stage.stack_size);
}

void block::open(barrier& gate) {
  gate.arrived = 0;
  ++gate.generation;
  for (const auto& each : cluster_.blocks)
    for (auto& f : each->fibers_)
      if (f->waits_for == &gate) f->waits_for = nullptr;
}

// The last to come opens the gate.
void block::wait_at(barrier& gate, unsigned expected, const char* what) {
  if (++gate.arrived >= expected) return open(gate);
  fiber& mine = *fibers_[running_];
  mine.waits_at = what;
  mine.waits_for = &gate;
  pause();
}

// Who has returned is waited for no more.
void block::returned() {
  --alive_;
  for (std::size_t id = 0; id < barriers_.size(); ++id)
    if (barriers_[id].arrived > 0 && expected_[id] == 0 && barriers_[id].arrived >= alive_)
      open(barriers_[id]);
  if (cluster_.gate.arrived > 0 && cluster_.gate.arrived >= cluster_.alive()) open(cluster_.gate);
}

void block::sync(unsigned id, unsigned threads) {
  expected_.at(id) = threads;
  wait_at(barriers_.at(id), threads == 0 ? alive_ : threads, "a barrier of the block");
}

void block::arrive(unsigned id, unsigned threads) {
  expected_.at(id) = threads;
  barrier& gate = barriers_.at(id);
  if (++gate.arrived >= threads) open(gate);
}

void block::arrive_cluster() {
  fiber& mine = *fibers_[running_];
  if (mine.arrived_at_cluster)
    throw std::logic_error("a thread arrives twice at the cluster's barrier before it waits");
  mine.arrived_at_cluster = cluster_.gate.generation + 1;
  if (++cluster_.gate.arrived >= cluster_.alive()) open(cluster_.gate);
}

void block::wait_cluster() {
  fiber& mine = *fibers_[running_];
  if (!mine.arrived_at_cluster)
    throw std::logic_error("a thread waits at the cluster's barrier and has not arrived");
  const std::uint64_t opened = *std::exchange(mine.arrived_at_cluster, std::nullopt);
  if (cluster_.gate.generation >= opened) return;
  mine.waits_at = "the cluster's barrier";
  mine.waits_for = &cluster_.gate;
  pause();
}

void block::wait_until(const std::function<bool()>& so, const char* what) {
  if (so()) return;
  fiber& mine = *fibers_[running_];
  mine.waits_at = what;
  mine.waits_until = &so;
  pause();
  mine.waits_until = nullptr;
}

block::team& block::team_of(std::uint32_t mask) {
  if ((mask >> lane() & 1) == 0) throw std::logic_error("a thread is not in its own mask");
  return teams_[{running_ / warp_size, mask}];
}

unsigned block::alive_in_team(std::uint32_t mask) const {
  const unsigned first = running_ / warp_size * warp_size;
  unsigned count = 0;
  for (unsigned lane = 0; lane < warp_size && first + lane < fibers_.size(); ++lane)
    if ((mask >> lane & 1) != 0 && !fibers_[first + lane]->done) ++count;
  return count;
}

void block::sync_warp(std::uint32_t mask) {
  wait_at(team_of(mask).gate, alive_in_team(mask), "a barrier of its warp");
}

const deposits& block::exchange(std::uint32_t mask, const void* value, std::size_t bytes) {
  team& mine = team_of(mask);
  deposits& left = mine.left[mine.gate.generation % 2];
  std::memcpy(left[lane()].data(), value, bytes);
  sync_warp(mask);
  return left;
}

void block::later(std::function<void()> work, line in) {
  fibers_[running_]->lines[in].open.push_back(std::move(work));
}

void block::commit_later(line in) {
  auto& mine = fibers_[running_]->lines[in];
  mine.groups.push_back(std::move(mine.open));
  mine.open.clear();
}

void block::settle_later(unsigned pending, line in) {
  auto& groups = fibers_[running_]->lines[in].groups;
  for (; groups.size() > pending; groups.pop_front())
    for (const auto& work : groups.front()) work();
}

void block::in_background(std::function<void()> work) { background_.push_back(std::move(work)); }

} // namespace simt
