// data: which clips were cut from the same recording, as their names tell. In: a path. Out: a group, or nothing.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace actio::data {

// "g07" for UCF101's "v_Archery_g07_c02.avi"; for HMDB51's names what stands before the five properties and the number of
// the take: "Goalkeeper_Training_Day_#_7_catch" for "Goalkeeper_Training_Day_#_7_catch_f_cm_np1_ba_bad_2.avi".
std::optional<std::string> group_of_file_name(const std::string& path);

// Options divide their lists at commas, which names of groups may hold: puts such names together again, the longest first. Where
// every word is a group, they stay as they are, and so do words that belong to none.
std::vector<std::string> group_names_of(const std::vector<std::string>& words, const std::set<std::string>& groups);

// Whether group_names_of knows it again: options drop empty words.
bool can_be_listed(const std::string& group);

}  // namespace actio::data
