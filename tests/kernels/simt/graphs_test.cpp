// Ops that are remembered: asked for twice, issued each time.
#include "kernels/cuda/graphs.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace troupe::cuda {
namespace {

class Graphs : public ::testing::Test {
 protected:
  void issue(std::uint64_t name) {
    graphs_.issue(name, [this] {
      ++asked_;
      simt::issue(stream_.get(), [this] { ++done_; });
    });
  }

  owned_stream stream_ = make_stream();
  graphs graphs_{stream_.get()};
  int asked_ = 0;
  int done_ = 0;
};

TEST_F(Graphs, IssueWhatTheyRememberWithoutAskingForItAgain) {
  for (int i = 0; i < 5; ++i) issue(7);
  EXPECT_EQ(done_, 5);
  EXPECT_EQ(asked_, 2);
}

TEST_F(Graphs, RememberEachNameForItself) {
  for (int i = 0; i < 3; ++i)
    for (const std::uint64_t name : {1, 2, 3}) issue(name);
  EXPECT_EQ(done_, 9);
  EXPECT_EQ(asked_, 6);
}

TEST_F(Graphs, ForgetTheNameThatWasUsedLongestAgo) {
  for (std::uint64_t name = 0; name < 128; ++name)
    for (int i = 0; i < 2; ++i) issue(name);
  issue(0);
  EXPECT_EQ(asked_, 256);
  issue(1000);
  issue(0);
  EXPECT_EQ(asked_, 257);
  issue(1);
  EXPECT_EQ(asked_, 258);
}

TEST_F(Graphs, AskAgainForOpsThatThrew) {
  const auto fail = [] { throw std::runtime_error("no"); };
  EXPECT_THROW(graphs_.issue(7, fail), std::runtime_error);
  issue(7);
  EXPECT_THROW(graphs_.issue(7, fail), std::runtime_error); // while they are recorded
  for (int i = 0; i < 3; ++i) issue(7);
  EXPECT_EQ(done_, 4);
  EXPECT_EQ(asked_, 2);
}

} // namespace
} // namespace troupe::cuda
