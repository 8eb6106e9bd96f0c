#include "training/lost_classes.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "data/list_file.h"
#include "data/lost_clips.h"
#include "net/defaults.h"
#include "training/first_weights.h"

namespace actio::training {
namespace {

bool reads_vectors(TrainSpec spec, const std::vector<std::string>& init) {
  if (spec.own) {
    const InputSpec* vectors = spec.own->inputs.find(InputKind::kVectors);
    return vectors != nullptr && vectors->vectors == VectorSource::kCodec;
  }
  try {
    net::apply_defaults(spec.network, spec.preprocess, spec.chosen, spec.others);
    for (std::size_t i = init.size(); i-- > 0;) adopt_settings_of(init[i], spec);
    const std::vector<Motion> motions = net::motions_of(spec.network, spec.preprocess);
    return spec.preprocess.vectors == VectorSource::kCodec && std::ranges::find(motions, Motion::kVectors) != motions.end();
  } catch (const Error&) {
    return false;  // what contradicts itself is told of with its stage, when the plan is checked
  }
}

bool reads_vectors(const TrainRequest& request) {
  if (request.stages.empty()) return reads_vectors(request.spec, request.init);
  return std::ranges::any_of(resolve(request.spec, request.stages, request.settings, request.config),
                             [&](const TrainSpec& spec) { return reads_vectors(spec, request.init); });
}

}  // namespace

void refuse_lost_classes(const TrainRequest& request, const std::vector<data::Item>& clips, const TrainHooks& hooks) {
  if (request.spec.recipe.allow_lost_clips || !reads_vectors(request)) return;
  const std::vector<data::LostClip> lost = data::lost_clips(clips, true, request.spec.read, hooks.progress, hooks.stop);
  throw_if_stopped(hooks.stop);
  std::map<std::string, std::size_t> all, without;
  for (const data::Item& item : clips) ++all[item.label];
  for (const data::LostClip& clip : lost) ++without[clips[clip.item].label];
  for (const data::LostClip& clip : lost) {
    const data::Item& item = clips[clip.item];
    if (2 * without[item.label] < all[item.label]) continue;
    fail_data("{}: class '{}' loses {} of {} clips to train on ({}: {}); --vectors any estimates theirs, --motion rgbdiff or flow reads every codec, --allow-lost-clips trains without them",
              request.data, data::shown(item.label), without[item.label], all[item.label], data::shown(item.path), clip.why);
  }
}

}  // namespace actio::training
