#include "core/digest_set.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/rng.h"

namespace actio {
namespace {

TEST(DigestSet, has_what_a_set_of_texts_has_whatever_is_added_and_taken_away) {
  DigestSet digests;
  std::set<std::string> texts;
  EXPECT_FALSE(digests.contains("a"));
  digests.erase("a");
  Rng rng(7);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = "/videos/" + std::to_string(rng.next() % 3000) + ".mp4";
    if (rng.next() % 3 == 0) {
      digests.erase(text);
      texts.erase(text);
    } else {
      digests.insert(text);
      texts.insert(text);
    }
    ASSERT_EQ(digests.size(), texts.size());
  }
  for (int i = 0; i < 3000; ++i) {
    const std::string text = "/videos/" + std::to_string(i) + ".mp4";
    EXPECT_EQ(digests.contains(text), texts.contains(text)) << text;
  }
}

TEST(DigestSet, tells_texts_apart_that_are_alike) {
  DigestSet digests;
  digests.insert("");
  digests.insert("a");
  EXPECT_TRUE(digests.contains(""));
  EXPECT_FALSE(digests.contains("A"));
  EXPECT_FALSE(digests.contains("aa"));
  EXPECT_EQ(digests.size(), 2U);
  EXPECT_NE(digest_of("ab"), digest_of("ba"));
}

}  // namespace
}  // namespace actio
