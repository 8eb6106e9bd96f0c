// training: what another model says of the clips to learn from. In: its score file. Out: probabilities of each clip's classes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace actio::training {

// By the clips' paths: f32 [classes] each, which add up to 1.
using TeacherAnswers = std::map<std::string, std::vector<float>>;

// What the score file says of every clip of `train`, its classes in the order of `classes`: softmax(logits / temperature), of probabilities their
// logarithms in the place of logits. What is of unknown kind counts as probabilities where each row could be one.
// Source: Hinton et al., Distilling the Knowledge in a Neural Network, 2015, eq. 1; Zhang et al., Real-time Action Recognition with Enhanced
// Motion Vector CNNs, 2016, section 4.2 (supervision transfer).
// Throws: as eval::read_scores; Error(kBadData) where the file names other classes, or lacks clips: how many, and one of them.
TeacherAnswers teacher_answers(const std::string& path, double temperature, const std::vector<std::string>& classes, const std::vector<data::Item>& train);

}  // namespace actio::training
