#include "api/train/train_spec.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace actio {
namespace {

std::vector<std::string> names_of(training::TrainSpec& spec) {
  std::vector<std::string> names;
  for (const std::string& table : training::spec_tables()) {
    for (const Field& field : spec.fields(table)) names.push_back(fmt::format("{}.{}", table, field.name));
  }
  return names;
}

// The field of "train.epochs"; it points into `spec`.
Field field_of(training::TrainSpec& spec, std::string_view option) {
  const std::size_t dot = std::min(option.find('.'), option.size());
  const std::string_view name = option.substr(std::min(dot + 1, option.size()));
  for (const Field& field : spec.fields(option.substr(0, dot))) {
    if (field.name == name) return field;
  }
  const std::vector<std::string> known = names_of(spec);
  const auto in_a_table = std::ranges::find_if(known, [&](const std::string& whole) { return whole.ends_with(fmt::format(".{}", option)); });
  const std::string nearest = in_a_table == known.end() ? nearest_name(option, known) : *in_a_table;
  fail_usage("unknown option '{}'; {}", option, nearest.empty() ? "names are like 'train.epochs'" : fmt::format("the nearest is '{}'", nearest));
}

}  // namespace

TrainSpec::TrainSpec() : impl_(std::make_unique<Impl>()) {}
TrainSpec::~TrainSpec() = default;
TrainSpec::TrainSpec(const TrainSpec& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
TrainSpec::TrainSpec(TrainSpec&&) noexcept = default;
TrainSpec& TrainSpec::operator=(TrainSpec&&) noexcept = default;

TrainSpec& TrainSpec::operator=(const TrainSpec& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}

TrainSpec TrainSpec::read(const std::filesystem::path& toml) {
  TrainSpec result;
  Impl& impl = *result.impl_;
  impl.file = toml.string();
  const Json file = read_toml(toml);
  impl.spec = training::read_spec(file, impl.file);
  impl.stages = training::read_stages(file, impl.file);
  return result;
}

TrainSpec& TrainSpec::set(std::string_view option, std::string_view value) {
  const Field field = field_of(impl_->spec, option);
  const std::string name(option);
  set_field(field, value, "the option " + name);
  impl_->spec.chosen.add_name(name);
  impl_->settings.push_back({name.substr(0, name.find('.')), field.name, std::string(value), "the option " + name});
  return *this;
}

std::string TrainSpec::get(std::string_view option) const { return field_text(field_of(impl_->spec, option)); }

std::vector<std::string> TrainSpec::options() const { return names_of(impl_->spec); }

std::vector<std::string> TrainSpec::stages() const {
  std::vector<std::string> names;
  for (const training::Stage& stage : impl_->stages) names.push_back(stage.name);
  return names;
}

TrainSpec paper_spec(std::string_view network) {
  TrainSpec result;
  result.impl_->spec = training::paper_spec(network);
  return result;
}

}  // namespace actio
