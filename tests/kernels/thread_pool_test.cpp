// The pool covers each range once, whatever happens inside.
#include "kernels/cpu/thread_pool.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <sys/resource.h>

namespace troupe {

namespace {

TEST(ThreadPool, RunsEveryIndexOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    thread_pool pool({.threads = threads});
    EXPECT_EQ(pool.size(), threads);
    for (const std::int64_t count : {1, 2, 3, 16, 17, 1000, 100001})
      for (const std::int64_t grain : {1, 3, 1000}) {
        std::vector<std::atomic<int>> hits(static_cast<std::size_t>(count));
        pool.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
        });
        for (std::int64_t i = 0; i < count; ++i)
          ASSERT_EQ(hits[static_cast<std::size_t>(i)], 1) << i << " of " << count;
      }
  }
}

TEST(ThreadPool, CallsNothingForNoWork) {
  thread_pool pool({.threads = 3});
  int calls = 0;
  pool.parallel_for(0, 1, [&](std::int64_t, std::int64_t) { ++calls; });
  pool.parallel_for(-5, 1, [&](std::int64_t, std::int64_t) { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST(ThreadPool, RunsSmallWorkOnTheCallingThread) {
  thread_pool pool({.threads = 3});
  std::set<std::thread::id> seen;
  pool.parallel_for(100, 100,
                    [&](std::int64_t, std::int64_t) { seen.insert(std::this_thread::get_id()); });
  EXPECT_EQ(seen, std::set{std::this_thread::get_id()});
}

TEST(ThreadPool, LetsOtherThreadsTakePart) {
  thread_pool pool({.threads = 2});
  // Each of two chunks waits for the other: only two threads at once can end this.
  std::atomic<int> arrived{0};
  std::set<std::thread::id> seen;
  std::mutex mutex;
  pool.parallel_for(2, 1, [&](std::int64_t, std::int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.size(), 2U);
}

TEST(ThreadPool, BringsAnExceptionToTheCallerAndGoesOn) {
  thread_pool pool({.threads = 3});
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> ran{0};
    try {
      pool.parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
        ran += static_cast<int>(end - begin);
        if (begin % 2 == 0) throw std::runtime_error("a range failed");
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "a range failed");
    }
    EXPECT_EQ(ran, 64);
    std::atomic<int> after{0};
    pool.parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
      after += static_cast<int>(end - begin);
    });
    EXPECT_EQ(after, 64);
  }
}

TEST(ThreadPool, RunsNestedWorkInline) {
  thread_pool pool({.threads = 3});
  std::atomic<int> inner{0};
  std::atomic<int> elsewhere{0};
  pool.parallel_for(16, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto self = std::this_thread::get_id();
      pool.parallel_for(100, 1, [&](std::int64_t first, std::int64_t last) {
        inner += static_cast<int>(last - first);
        elsewhere += self == std::this_thread::get_id() ? 0 : 1;
      });
    }
  });
  EXPECT_EQ(inner, 1600);
  EXPECT_EQ(elsewhere, 0);
}

TEST(ThreadPool, ServesManyShortJobsAfterNapsOfItsWorkers) {
  thread_pool pool({.threads = 4, .pin = true, .spin = std::chrono::microseconds(0)});
  std::int64_t total = 0;
  for (int job = 0; job < 3000; ++job) {
    std::atomic<std::int64_t> sum{0};
    pool.parallel_for(50, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) sum += i;
    });
    total += sum;
  }
  EXPECT_EQ(total, 3000 * 1225);
}

TEST(ThreadPool, UsesNoProcessorTimeWhenIdle) {
  thread_pool pool({.threads = 4});
  pool.parallel_for(64, 1, [](std::int64_t, std::int64_t) {});
  const auto used = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double before = used();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(used() - before, 0.05); // one spinning worker would use 0.2 s
}

} // namespace

} // namespace troupe
