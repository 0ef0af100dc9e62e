// What was found out is there again after a restart, for whom it was found out, and nothing that a
// disk may hold does harm.
#include "kernels/cuda/tuned_products.hpp"
#include "tests/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace troupe::cuda {

namespace {

constexpr product_shape shape{256, 4096, 1024, dtype::bf16, dtype::f32};
constexpr tuned_products::algorithm fastest{1, 2, 3, 4, 5, 6, 7, 0xFEDC'BA98'7654'3210};

class TunedProducts : public ::testing::Test {
 protected:
  void save_one() const {
    tuned_products made(file_, "a GPU");
    made.keep(shape, fastest);
    ASSERT_TRUE(made.save());
  }

  troupe::testing::temporary_folder folder_;
  std::filesystem::path file_ = folder_.path() / "deeper/products.txt";
};

TEST_F(TunedProducts, AreThereAgainAfterARestart) {
  save_one();
  const tuned_products again(file_, "a GPU");
  ASSERT_NE(again.find(shape), nullptr);
  EXPECT_EQ(*again.find(shape), fastest);
  product_shape other = shape;
  other.out_type = dtype::bf16;
  EXPECT_EQ(again.find(other), nullptr);
}

TEST_F(TunedProducts, ServeTheNumbersOfRowsBelowUpToTheNextThatIsTried) {
  tuned_products made({}, "a GPU");
  made.keep(shape, fastest);
  product_shape asked = shape;
  for (const std::int64_t rows : {193, 200, 255, 256}) {
    asked.rows = rows;
    EXPECT_NE(made.find(asked), nullptr) << rows;
  }
  for (const std::int64_t rows : {1, 192, 257, 8192, 8193, 1'000'000}) {
    asked.rows = rows;
    EXPECT_EQ(made.find(asked), nullptr) << rows;
  }
}

TEST_F(TunedProducts, OfAnotherDeviceCountForNothing) {
  save_one();
  EXPECT_EQ(tuned_products(file_, "another GPU").find(shape), nullptr);
}

TEST_F(TunedProducts, OfADamagedFileCountForNothing) {
  save_one();
  std::stringstream whole;
  whole << std::ifstream(file_).rdbuf();
  const std::string text = whole.str();
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {
    std::ofstream(file_) << text.substr(0, length);
    const tuned_products read(file_, "a GPU");
    const auto* found = read.find(shape);
    EXPECT_TRUE(found == nullptr || text.size() - length < 17) << length; // its last word only
  }
  for (const char* line : {"x", "1 2 3 9 0 1 2 3 4 5 6 7 8", "1 2 3 0 0 1 2 3 4 5 6 7 8 9"}) {
    std::ofstream(file_) << text << line << '\n';
    EXPECT_EQ(tuned_products(file_, "a GPU").find(shape), nullptr) << line;
  }
}

TEST_F(TunedProducts, AreForgottenWhereTheyCannotBeWritten) {
  std::ofstream(folder_.path() / "deeper") << "a file where a folder should be";
  tuned_products made(file_, "a GPU");
  made.keep(shape, fastest);
  EXPECT_FALSE(made.save());
  EXPECT_NE(made.find(shape), nullptr);
}

TEST_F(TunedProducts, LeaveNothingElseBesideTheirFile) {
  save_one();
  save_one();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path() / "deeper"), {}), 1);
}

} // namespace

} // namespace troupe::cuda
