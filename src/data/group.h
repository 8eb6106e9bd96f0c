// data: which clips were cut from the same recording, as their names tell. In: a path. Out: a group, or nothing.
#pragma once

#include <optional>
#include <string>

namespace actio::data {

// "g07" for UCF101's "v_Archery_g07_c02.avi"; for HMDB51's names what stands before the five properties and the number of
// the take: "Goalkeeper_Training_Day_#_7_catch" for "Goalkeeper_Training_Day_#_7_catch_f_cm_np1_ba_bad_2.avi".
std::optional<std::string> group_of_file_name(const std::string& path);

}  // namespace actio::data
