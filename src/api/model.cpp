#include <actio/model.h>

#include "api/model_impl.h"
#include "core/json_text.h"
#include "net/describe.h"

namespace actio {

Model Model::open(const std::filesystem::path& path) {
  return Model(std::make_shared<Impl>(net::read_model(path), path.string()));
}

Model Model::from_bytes(std::span<const std::byte> bytes, const std::string& name) {
  return Model(std::make_shared<Impl>(net::read_model(bytes, name), name));
}

const std::string& Model::name() const { return impl_->name; }
const std::string& Model::network() const { return impl_->model.spec.name; }
const std::vector<std::string>& Model::classes() const { return impl_->model.classes; }
std::int64_t Model::segments() const { return impl_->model.spec.segments; }
const std::string& Model::hash() const { return impl_->model.hash; }

std::vector<ModelInput> Model::inputs() const {
  std::vector<ModelInput> inputs;
  for (const std::string& name : net::input_names(impl_->model.spec)) {
    const InputSpec& input = *impl_->model.inputs.find(name);
    inputs.push_back({name, input.row(), std::string(name_of(input.kind)), input.length, input.mean, input.std});
  }
  return inputs;
}

std::vector<std::string> Model::heads() const {
  std::vector<std::string> names;
  for (const net::Head& head : impl_->model.spec.heads) {
    if (!head.training_only) names.push_back(head.name);
  }
  return names;
}

std::string Model::preprocess() const {
  return json_text(to_json(impl_->model.inputs));
}

std::string Model::training() const { return json_text(impl_->model.training); }

std::string Model::describe() const { return net::to_text(net::describe(impl_->model.spec)); }

}  // namespace actio
