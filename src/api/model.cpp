#include <actio/model.h>

#include <algorithm>
#include <utility>

#include "api/model_impl.h"
#include "api/network_impl.h"
#include "core/error.h"
#include "core/json_text.h"
#include "net/describe.h"
#include "net/infer.h"
#include "net/initialise.h"

namespace actio {

Model Model::open(const std::filesystem::path& path) {
  return Model(std::make_shared<Impl>(net::read_model(path), path.string()));
}

Model Model::from_bytes(std::span<const std::byte> bytes, const std::string& name) {
  return Model(std::make_shared<Impl>(net::read_model(bytes, name), name));
}

Model Model::make(const Network& network, std::vector<std::string> classes, const TensorMap& weights, std::uint64_t seed) {
  auto impl = std::make_shared<Impl>();
  impl->name = network.name();
  net::Model& model = impl->model;
  model.spec = NetworkAccess::spec(network);
  model.inputs = NetworkAccess::inputs(network);
  model.classes = std::move(classes);
  const std::vector<net::ParamInfo> parameters = net::parameters(model.spec);
  for (const auto& [name, tensor] : weights) {
    const auto known = std::ranges::find(parameters, name, &net::ParamInfo::name);
    if (known == parameters.end()) fail_data("{}: has no weights '{}'", impl->name, name);
    if (known->shape == tensor.shape()) continue;
    fail_data("{}: the weights '{}' have shape {}, {} was expected", impl->name, name, shape_text(tensor.shape()), shape_text(known->shape));
  }
  net::initialise(model.spec, &weights, seed, model.weights);
  net::check_model(model, impl->name);
  return Model(std::move(impl));
}

Model Model::save(const std::filesystem::path& path) const {
  auto impl = std::make_shared<Impl>(*impl_);
  impl->name = path.string();
  net::write_model(path, impl->model);
  return Model(std::move(impl));
}

const std::string& Model::name() const { return impl_->name; }
const std::string& Model::network() const { return impl_->model.spec.name; }
const std::vector<std::string>& Model::classes() const { return impl_->model.classes; }
std::int64_t Model::segments() const { return impl_->model.spec.segments; }
const std::string& Model::hash() const { return impl_->model.hash; }

const Inputs& Model::inputs() const { return impl_->model.inputs; }

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
