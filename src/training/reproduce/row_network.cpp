#include "training/reproduce/row_network.h"

#include "core/error.h"
#include "net/initialise.h"
#include "training/spec.h"

namespace actio::training {

net::Model untrained_model(const Json& config, const std::vector<ConfigChange>& changes, const std::vector<std::string>& keep, std::int64_t classes,
                           const std::string& where) {
  const Json changed = changed_config(config, changes, keep);
  TrainSpec spec = read_spec(changed, where);
  const std::vector<Stage> stages = read_stages(changed, where);
  if (!stages.empty()) spec = resolve(spec, stages, {}, where).back();
  spec.network.classes = classes;
  net::apply_defaults(spec.network, spec.preprocess, spec.chosen, spec.others);
  net::Model model;
  model.spec = net::build_network(spec.network, spec.preprocess);
  model.inputs = net::network_inputs(spec.network, spec.preprocess);
  for (std::int64_t i = 0; i < classes; ++i) model.classes.push_back(fmt::format("class {}", i + 1));
  net::initialise(model.spec, nullptr, 1, model.weights);
  return model;
}

}  // namespace actio::training
