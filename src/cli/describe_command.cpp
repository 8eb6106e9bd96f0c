#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "core/json_text.h"
#include "net/defaults.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "core/error.h"
#include "net/describe.h"
#include "net/model_file.h"
#include "net/zoo.h"
#include "runtime/compiled_network.h"
#include "runtime/precision_report.h"

namespace actio::cli {
namespace {

struct DescribeArguments {
  std::string network;
  bool json = false;
  bool dot = false;
  runtime::RunOptions run;
  net::NetworkOptions options;
  Preprocess preprocess;
  std::unique_ptr<OptionFlags> flags;
};

net::NetSpec find_network(DescribeArguments& a) {
  if (a.network.empty()) {
    if (!a.flags->chosen().has(&net::NetworkOptions::network)) fail_usage("describe needs a network, a model file, or a --config that names a network");
    net::apply_defaults(a.options, a.preprocess, a.flags->chosen());
    return net::build_network(a.options, a.preprocess);
  }
  std::error_code ignored;
  if (std::filesystem::is_regular_file(a.network, ignored)) {
    if (!a.flags->chosen().empty()) fail_usage("{} is a model file: its network is fixed, options do not change it", a.network);
    return net::read_model(a.network).spec;
  }
  if (a.flags->chosen().has(&net::NetworkOptions::network) && name_of(a.options.network) != a.network) {
    fail_usage("describe {} and the option network = '{}' name two networks", a.network, name_of(a.options.network));
  }
  if (set_by_name(a.network, a.options.backbone)) {
    a.options.network = net::NetworkKind::kTsn;
    a.options.streams = "rgb";
    if (!a.flags->chosen().has(&net::NetworkOptions::segments)) a.options.segments = 1;
    if (!a.flags->chosen().has(&net::NetworkOptions::classes)) a.options.classes = 1000;
  } else if (!set_by_name(a.network, a.options.network)) {
    std::vector<std::string> known = net::network_names();
    for (const std::string& name : net::backbone_names()) known.push_back(name);
    fail_usage("{}, or the path of a model file", unknown_name_text("network", a.network, known));
  }
  net::apply_defaults(a.options, a.preprocess, a.flags->chosen());
  return net::build_network(a.options, a.preprocess);
}

// What each op of the model would be computed in on this processor.
int describe_precision(DescribeArguments& a) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(a.network, ignored)) fail_usage("--precision describes how a model file is computed; '{}' is none", a.network);
  const auto refuse = [&](std::string_view table, const Fields& fields) {
    for (const Field& field : fields) {
      if (a.flags->chosen().has_name(fmt::format("{}.{}", table, field.name))) fail_usage("{} is a model file: its network is fixed, options do not change it", a.network);
    }
  };
  refuse(net::NetworkOptions::kTable, a.options.fields());
  refuse(Preprocess::kTable, a.preprocess.fields());
  net::Model model = net::read_model(a.network);
  runtime::RunOptions run = a.run;
  run.precision = runtime::chosen_precision(run.precision, model.quantization, run.backend);
  runtime::require_ranges(run.precision, model.quantization, a.network);
  const auto network = runtime::CompiledNetwork::compile(model.spec, model.weights, run, {}, model.quantization.ranges);
  std::puts(a.json ? json_text(runtime::precision_json(network->attributes(), a.run.precision), 2).c_str()
                   : runtime::precision_text(network->attributes(), a.run.precision).c_str());
  return 0;
}

// Of a training in stages, the network that comes out.
void adopt_last_stage(DescribeArguments& a) {
  const Json& file = a.flags->file();
  if (!file.is_object() || !file.contains("stage") || !file.at("stage").is_array() || file.at("stage").empty()) return;
  const Json& last = file.at("stage").back();
  Json tables = Json::object();
  for (const char* name : {"network", "preprocess"}) {
    if (last.is_object() && last.contains(name)) tables[name] = last.at(name);
  }
  a.flags->overlay(tables, "the last [[stage]]");
}

}  // namespace

void add_describe(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("describe", "print a network: stages, shapes, parameters and cost");
  auto a = std::make_shared<DescribeArguments>();
  command.add_option("NETWORK", a->network, "two_stream, tsn, trn, st_fusion, stfn, if_ttn, a backbone, or a model file; empty: what --config says");
  CLI::Option* json = command.add_flag("--json", a->json, "every node, as JSON");
  command.add_flag("--dot", a->dot, "a picture of the parts, for Graphviz: actio describe if_ttn --dot | dot -Tsvg")->excludes(json);
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->options);
  a->flags->add(a->preprocess);
  a->flags->add(a->run);
  for (const char* table : {"data", "train", "cache", "read", "stage"}) a->flags->tolerate(table);  // a file for training does
  a->flags->add_config();
  on_run(command, [a] {
    a->flags->apply();
    adopt_last_stage(*a);
    if (a->flags->chosen().has(&runtime::RunOptions::precision)) return describe_precision(*a);
    const net::NetSpec spec = find_network(*a);
    const net::Description description = net::describe(spec);
    const std::string text = a->json  ? json_text(net::to_json(description, spec), 2)
                             : a->dot ? net::to_dot(description, spec)
                                      : net::to_text(description);
    std::puts(text.c_str());
    return 0;
  });
}

}  // namespace actio::cli
