// training: the weights of a network's heads, from clips that it did not learn from. In: a trained model. Out: the model with weights that
// make its answer the best and mean what it says.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/head_fusion.h"
#include "net/model_file.h"
#include "training/request.h"
#include "training/train.h"

namespace actio::training {

// Divisions of the training clips, each of which leaves out another part: whole groups, of all classes as far as groups allow.
// Returns: splits whose test part is what they leave out.
std::vector<data::Split> inner_splits(const data::Split& split, std::int64_t parts);

// A class of which a division has no clip to learn from, or "": a network that never saw it knows nothing of it.
std::string missing_class(const std::vector<data::Split>& splits, const std::vector<std::string>& classes);

// What a model says to other clips than the job's test part; none where none could be read. Throws: Error(kInterrupted).
Answers answers_of(Trainer& trainer, TrainJob job, const net::Model& model, const std::vector<data::Item>& clips);

// Trains on another division of the clips, in parts that are counted from 1. Returns: the model's file.
using TrainInner = std::function<std::string(const data::Split& split, std::int64_t part)>;

// Of networks that have learned from the other parts of the job's training clips. None, with a warning, where a class is in too few groups.
Answers inner_answers(Trainer& trainer, const TrainJob& job, const std::vector<std::string>& classes, const TrainInner& train,
                      const TrainHooks& hooks);

// Fits the weights on the answers and sets them in the model; what was found is kept in its training record, as "heads".
// Throws: as eval::fit_heads.
eval::HeadFusion fit_heads(net::Model& model, const Answers& held_out, const std::vector<data::Item>& items);

// Answers as a model with these weights would have given them. Shape: as they are.
void apply_head_weights(const net::Model& model, Answers& answers);

// "heads: rgb 0.31, motion 0.62, ttn 0.40 from 54 clips; 83.3 % of them right when left out (equal weights 79.6, the best alone 81.5)"
std::string head_text(const eval::HeadFusion& fusion, const net::NetSpec& spec);

}  // namespace actio::training
