// Well-formed files are read as they are; every way to lie in a header is refused with its reason.
#include "model/model_error.hpp"
#include "model/safetensors.hpp"
#include "tests/model/model_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace troupe {
namespace {

using ::testing::HasSubstr;
using testing::length_bytes;
using testing::safetensors_file;
using testing::temporary_folder;

/// The error of opening a folder whose model.safetensors has this content.
std::string refusal(const std::string& content) {
  const temporary_folder folder;
  folder.write("model.safetensors", content);
  try {
    const safetensors files(folder.path());
  } catch (const model_error& e) {
    return e.what();
  }
  return "accepted";
}

/// The same for a header before 8 bytes of data.
std::string refusal_of_header(const std::string& header) {
  return refusal(safetensors_file(header, std::string(8, '\0')));
}

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

TEST(Safetensors, ReadsTensorsWithTheirShapesAndValues) {
  const temporary_folder folder;
  folder.write("model.safetensors",
               safetensors_file({{"a", {{2, 2}, {1, 2, 3, 4}}}, {"b", {{1}, {5}}}}));
  const safetensors files(folder.path());
  EXPECT_EQ(files.tensors().size(), 2U);
  EXPECT_EQ(files.bytes(), 20U);
  const stored_tensor& a = files.find("a");
  EXPECT_EQ(a.shape, (std::vector<std::int64_t>{2, 2}));
  std::vector<float> values(4);
  files.read(a, 0, std::as_writable_bytes(std::span(values)));
  EXPECT_EQ(values, (std::vector<float>{1, 2, 3, 4}));
}

TEST(Safetensors, ReadsShardsThroughTheirIndex) {
  const temporary_folder folder;
  folder.write("one.safetensors", safetensors_file({{"a", {{1}, {1}}}}));
  folder.write("two.safetensors", safetensors_file({{"b", {{1}, {2}}}}));
  folder.write(
      "model.safetensors.index.json",
      R"({"metadata":{"total_size":8},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  const safetensors files(folder.path());
  float value = 0;
  files.read(files.find("b"), 0, std::as_writable_bytes(std::span(&value, 1)));
  EXPECT_EQ(value, 2.0F);
}

TEST(Safetensors, RefusesAFolderWithoutWeights) {
  const temporary_folder folder;
  EXPECT_THAT(testing::error_of([&] { safetensors{folder.path()}; }),
              HasSubstr("neither model.safetensors nor"));
}

TEST(Safetensors, NamesATensorThatIsAbsent) {
  const temporary_folder folder;
  folder.write("model.safetensors", safetensors_file({{"a", {{1}, {1}}}}));
  const safetensors files(folder.path());
  EXPECT_THAT(testing::error_of([&] { files.find("model.norm.weight"); }),
              HasSubstr("no tensor model.norm.weight"));
}

TEST(Safetensors, RefusesHeaderLengthsThatTheFileDoesNotHave) {
  EXPECT_THAT(refusal(""), HasSubstr("has 0 bytes, fewer than the 8"));
  EXPECT_THAT(refusal(length_bytes(0)), HasSubstr("0 bytes long"));
  EXPECT_THAT(refusal(length_bytes(8)), HasSubstr("the file has 0 after"));
  EXPECT_THAT(refusal(length_bytes(std::uint64_t{1} << 63)), HasSubstr("at most 33554432"));
  EXPECT_THAT(refusal(length_bytes(100) + "{}"), HasSubstr("100 bytes long, the file has 2"));
}

TEST(Safetensors, RefusesHeadersThatAreNotAnObject) {
  EXPECT_THAT(refusal_of_header("{\"a\":"), HasSubstr("is not JSON"));
  EXPECT_THAT(refusal_of_header("[]"), HasSubstr("must hold a JSON object"));
  EXPECT_THAT(refusal_of_header("{\"a\":1}"), HasSubstr("tensor a: must be an object"));
  EXPECT_THAT(refusal_of_header(std::string(100000, '[')), HasSubstr("nests more than"));
  EXPECT_THAT(refusal_of_header("{\"\xff\":1}"), HasSubstr("is not JSON"));
}

TEST(Safetensors, RefusesANameThatStandsTwice) {
  const std::string a = entry("a", "F32", "[1]", "[0,4]");
  EXPECT_THAT(refusal_of_header("{" + a + "," + a + "}"), HasSubstr("the key \"a\" twice"));
}

TEST(Safetensors, RefusesMoreTensorsThanItsLimit) {
  const temporary_folder folder;
  folder.write("model.safetensors", safetensors_file({{"a", {{1}, {1}}}, {"b", {{1}, {1}}}}));
  const safetensors_limits limits{.tensors = 1};
  EXPECT_THAT(testing::error_of([&] { safetensors(folder.path(), limits); }),
              HasSubstr("names 2 tensors, at most 1"));
}

TEST(Safetensors, RefusesTypesThatAreNotServedNamingTheTensor) {
  for (const char* type : {"I64", "F8_E4M3", "U8", "F64", "bf16", ""})
    EXPECT_THAT(refusal_of_header("{" + entry("w", type, "[1]", "[0,8]") + "}"),
                HasSubstr("tensor w: dtype is"))
        << type;
}

TEST(Safetensors, RefusesOffsetsThatDoNotFitTheShape) {
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[3]", "[0,8]") + "}"),
              HasSubstr("span 8 bytes, shape and dtype need 12"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[2]", "[8,0]") + "}"),
              HasSubstr("[8, 0] are not within"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[4]", "[0,16]") + "}"),
              HasSubstr("not within the file's 8 bytes"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[2]", "[-8,0]") + "}"),
              HasSubstr("two whole numbers"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[2]", "[0]") + "}"),
              HasSubstr("two whole numbers"));
}

TEST(Safetensors, RefusesShapesWhoseProductWraps) {
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[4294967296,4294967296]", "[0,0]") + "}"),
              HasSubstr("product exceeds 64 bits"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[18446744073709551615,0]", "[0,0]") + "}"),
              HasSubstr("product exceeds 64 bits"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[1.5]", "[0,4]") + "}"),
              HasSubstr("shape must be a list"));
  EXPECT_THAT(refusal_of_header("{" + entry("w", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") + "}"),
              HasSubstr("at most 8"));
}

TEST(Safetensors, RefusesGapsOverlapsAndRests) {
  EXPECT_THAT(refusal_of_header("{" + entry("a", "F32", "[1]", "[4,8]") + "}"), HasSubstr("a gap"));
  EXPECT_THAT(refusal_of_header("{" + entry("a", "F32", "[2]", "[0,8]") + "," +
                                entry("b", "F32", "[1]", "[4,8]") + "}"),
              HasSubstr("overlaps"));
  EXPECT_THAT(refusal_of_header("{" + entry("a", "F32", "[1]", "[0,4]") + "}"),
              HasSubstr("end at byte 4 of 8"));
}

TEST(Safetensors, RefusesShardsOutsideTheFolder) {
  for (const char* name :
       {"../x.safetensors", "/etc/x.safetensors", "sub/x.safetensors", "", "..", "x.bin"}) {
    const temporary_folder folder;
    folder.write("model.safetensors.index.json",
                 nlohmann::json{{"weight_map", {{"a", name}}}}.dump());
    EXPECT_THAT(testing::error_of([&] { safetensors{folder.path()}; }),
                HasSubstr("file in the same folder"))
        << name;
  }
}

TEST(Safetensors, RefusesAnIndexThatItsShardsContradict) {
  const temporary_folder folder;
  folder.write("one.safetensors", safetensors_file({{"a", {{1}, {1}}}}));
  folder.write("two.safetensors", safetensors_file({{"a", {{1}, {2}}}}));
  const auto refusal_with = [&](const nlohmann::json& map) {
    folder.write("model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
    return testing::error_of([&] { safetensors{folder.path()}; });
  };
  EXPECT_THAT(refusal_with({{"a", "absent.safetensors"}}), HasSubstr("cannot be opened"));
  EXPECT_THAT(refusal_with({{"a", "one.safetensors"}, {"b", "two.safetensors"}}),
              HasSubstr("tensor a stands in one.safetensors too"));
  EXPECT_THAT(refusal_with({{"b", "one.safetensors"}}), HasSubstr("says that b stands in"));
  EXPECT_THAT(refusal_with({{"a", 1}}), HasSubstr("file in the same folder"));
  EXPECT_THAT(refusal_with(nlohmann::json::object()), HasSubstr("weight_map must be"));
}

TEST(Safetensors, TellsWhenAFileWasTruncatedAfterItWasOpened) {
  const temporary_folder folder;
  folder.write("model.safetensors", safetensors_file({{"a", {{4096}, std::vector<float>(4096)}}}));
  const safetensors files(folder.path());
  std::filesystem::resize_file(folder.path() / "model.safetensors", 4096);
  std::vector<std::byte> out(files.find("a").bytes);
  EXPECT_THAT(testing::error_of([&] { files.read(files.find("a"), 0, out); }),
              HasSubstr("it was changed while it was loaded"));
}

TEST(Safetensors, RefusesWhatIsNotARegularFile) {
  const temporary_folder folder;
  std::filesystem::create_directory(folder.path() / "model.safetensors");
  EXPECT_THAT(testing::error_of([&] { safetensors{folder.path()}; }),
              HasSubstr("not a regular file"));
}

} // namespace
} // namespace troupe
