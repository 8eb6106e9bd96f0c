#!/usr/bin/env python3
"""The peer of bench/train_bench.cpp: the same training in PyTorch, by torchvision's own networks or, with NETWORK "spec", by a module
that reads the network's description.

Arguments: FOLDER NETWORK PRECISION STEPS [name=value ...]. The folder holds start.safetensors, batches.safetensors and network.json,
as the bench writes them. PRECISION: f32, bf16, and on CUDA tf32. Prints a line "LOSS SECONDS CPU-SECONDS" for each step. Settings
that are no part of the task, so that the quickest can be chosen: layout=channels_last|rows, foreach=1|0, relu6=torch|clamp|split; on
CUDA benchmark=1|0 (cuDNN's search for the quickest convolution), fused=1|0 (the optimiser), inputs=pinned|there (copied within the
step from pinned memory, or on the device before the clock starts).
"""
import contextlib
import json
import sys
import time

import numpy
import torch
import torchvision


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        kind = {"F32": numpy.float32, "I64": numpy.int64}[entry["dtype"]]
        tensors[name] = torch.from_numpy(numpy.frombuffer(data[begin:end], kind).reshape(entry["shape"]).copy())
    return tensors


class Relu6(torch.nn.Module):
    """torch.nn.ReLU6 has no gradient in bfloat16 on the CPU in release 1.13. "split" is quicker there than "clamp"."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, x):
        return torch.clamp(x, 0, 6) if self.how == "clamp" else torch.relu(x).clamp_max(6)


def replace_relu6(module, how):
    for name, child in module.named_children():
        if isinstance(child, torch.nn.ReLU6):
            setattr(module, name, Relu6(how))
        else:
            replace_relu6(child, how)


class SpecNetwork(torch.nn.Module):
    """A network as its description says, for those that torchvision does not have. Returns the sum of the heads' losses."""

    def __init__(self, spec, start):
        super().__init__()
        self.nodes, self.heads, self.segments = spec["nodes"], spec["heads"], spec["segments"]
        for key, value in start.items():
            name = key.replace(".", "__")
            if key.endswith(("running_mean", "running_var")):
                self.register_buffer(name, value)
            else:
                self.register_parameter(name, torch.nn.Parameter(value))
        readers = [name for node in self.nodes for name in node["inputs"]]
        self.once = {name for name in readers if readers.count(name) == 1}
        self.needed = {head["node"] for head in self.heads}  # for the losses
        for node in reversed(self.nodes):
            if node["name"] in self.needed:
                self.needed.update(node["inputs"])
        self.pairs = set()  # what has a row for each two adjacent snippets
        for node in self.nodes:
            if node["op"] == "segment_diff" or (node["op"] != "segment_mean" and self.pairs.intersection(node["inputs"])):
                self.pairs.add(node["name"])

    def tensor(self, node, part):
        return getattr(self, f"{node['name']}.{part}".replace(".", "__"), None)

    def convolution(self, node, attrs, x):
        top, bottom, left, right = attrs.get("padding", [0, 0, 0, 0])
        if top != bottom or left != right:
            x, top, left = torch.nn.functional.pad(x, (left, right, top, bottom)), 0, 0
        return torch.nn.functional.conv2d(x, self.tensor(node, "weight"), self.tensor(node, "bias"), attrs.get("stride", [1, 1]),
                                          (top, left), attrs.get("dilation", [1, 1]), attrs.get("groups", 1))

    def norm(self, node, attrs, x):
        return torch.nn.functional.batch_norm(x, self.tensor(node, "running_mean"), self.tensor(node, "running_var"),
                                              self.tensor(node, "weight"), self.tensor(node, "bias"), True,
                                              attrs.get("momentum", 0.1), attrs.get("epsilon", 1e-5))

    def split(self, x):
        return x.unflatten(0, (-1, self.segments))

    def compute(self, node, xs):
        op, attrs = node["op"], node.get("attrs", {})
        x = xs[0]
        in_place = node["inputs"][0] in self.once
        if op == "conv2d":
            return self.convolution(node, attrs, x)
        if op == "batch_norm":
            return self.norm(node, attrs, x)
        if op in ("relu", "relu6"):
            return getattr(torch.nn.functional, op)(x, inplace=in_place)
        if op == "max_pool2d":
            top, bottom, left, right = attrs.get("padding", [0, 0, 0, 0])
            if top != bottom or left != right:
                raise ValueError(f"{node['name']}: uneven padding")
            return torch.nn.functional.max_pool2d(x, attrs["kernel"], attrs.get("stride", [1, 1]), (top, left),
                                                  ceil_mode=attrs.get("ceil_mode", False))
        if op == "global_avg_pool":
            return x.mean((2, 3))
        if op == "linear":
            return torch.nn.functional.linear(x, self.tensor(node, "weight"), self.tensor(node, "bias"))
        if op == "weighted_sum":
            return sum(value * weight for value, weight in zip(xs, self.tensor(node, "weight").unbind()))
        if op == "segment_mean":
            return self.split(x).mean(1)
        if op == "segment_diff":
            rows = self.split(x)
            return (rows[:, 1:] - rows[:, :-1]).flatten(0, 1)
        simple = {"add": lambda: x + xs[1], "sub": lambda: x - xs[1], "mul": lambda: x * xs[1], "dropout": lambda: x,
                  "max": lambda: torch.maximum(x, xs[1]), "concat": lambda: torch.cat(xs, 1), "flatten": lambda: x.flatten(1)}
        if op not in simple:
            raise ValueError(f"{node['name']}: {op} is not known here")
        return simple[op]()

    def forward(self, inputs, labels):
        values, snippets = dict(inputs), self.segments
        for node in self.nodes:
            name = node["name"]
            if node["op"] == "input" or name not in self.needed:
                continue
            self.segments = snippets - 1 if node["op"] == "segment_mean" and node["inputs"][0] in self.pairs else snippets
            values[name] = self.compute(node, [values[each] for each in node["inputs"]])
        self.segments = snippets
        return sum(head.get("weight", 1.0) * torch.nn.functional.cross_entropy(values[head["node"]].float(), labels)
                   for head in self.heads)


class SnippetNetwork(torch.nn.Module):
    """TSN: a network for each snippet, the mean of its scores."""

    def __init__(self, network, segments):
        super().__init__()
        self.network, self.segments = network, segments

    def forward(self, inputs, labels):
        scores = self.network(inputs["rgb"])
        if self.segments > 1:
            scores = scores.float().unflatten(0, (-1, self.segments)).mean(1)
        return torch.nn.functional.cross_entropy(scores.float(), labels)


def make_network(folder, name, start, settings):
    if name == "spec":
        with open(f"{folder}/network.json") as file:
            return SpecNetwork(json.load(file), start)
    network = getattr(torchvision.models, name)(num_classes=int(settings["classes"]))
    state = {key.removeprefix("rgb."): value for key, value in start.items()}
    state.update({key: value for key, value in network.state_dict().items() if key.endswith("num_batches_tracked")})
    network.load_state_dict(state)
    if name == "mobilenet_v2":
        network.classifier[0] = torch.nn.Identity()  # no dropout, here and there
        if settings["relu6"] != "torch":
            replace_relu6(network, settings["relu6"])
    return network


def set_up(settings, precision):
    if int(settings["threads"]) > 0:
        torch.set_num_threads(int(settings["threads"]))
    torch.backends.cudnn.benchmark = settings["benchmark"] == "1"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"


def main():
    folder, name, precision, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    settings = {"layout": "channels_last", "foreach": None, "relu6": None, "threads": "2", "classes": "101", "rate": "0.01", "clip": "20",
                "batches": "4", "device": "cpu", "segments": "1", "benchmark": "1", "fused": "0", "inputs": "pinned"}
    settings.update(argument.split("=", 1) for argument in sys.argv[5:])
    on_cpu, bf16 = settings["device"] == "cpu", precision == "bf16"
    settings["foreach"] = settings["foreach"] or ("0" if on_cpu else "1")
    settings["relu6"] = settings["relu6"] or ("split" if bf16 and on_cpu else "torch")
    set_up(settings, precision)
    start, batches = read_safetensors(f"{folder}/start.safetensors"), read_safetensors(f"{folder}/batches.safetensors")
    network = make_network(folder, name, start, settings)
    if name != "spec":
        network = SnippetNetwork(network, int(settings["segments"]))
    network = network.train().to(settings["device"])
    count = int(settings["batches"])
    kinds = [kind for kind in ("rgb", "motion") if f"{kind}0" in batches]
    inputs = [{kind: batches[f"{kind}{i}"] for kind in kinds} for i in range(count)]
    labels = [batches[f"labels{i}"] for i in range(count)]
    if settings["layout"] == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        inputs = [{kind: x.to(memory_format=torch.channels_last) for kind, x in each.items()} for each in inputs]
    if not on_cpu:
        move = (lambda x: x.pin_memory()) if settings["inputs"] == "pinned" else (lambda x: x.to(settings["device"]))
        inputs, labels = [{kind: move(x) for kind, x in each.items()} for each in inputs], [move(x) for x in labels]
    fused = {"fused": True} if settings["fused"] == "1" else {"foreach": settings["foreach"] == "1"}
    optimizer = torch.optim.SGD(network.parameters(), lr=float(settings["rate"]), momentum=0.9, weight_decay=5e-4, **fused)
    autocast = contextlib.nullcontext() if not bf16 else torch.autocast("cpu" if on_cpu else "cuda", dtype=torch.bfloat16)
    for step in range(steps):
        begin, cpu = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        batch = {kind: x.to(settings["device"], non_blocking=True) for kind, x in inputs[step % count].items()}
        targets = labels[step % count].to(settings["device"], non_blocking=True)
        with autocast:
            loss = network(batch, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), float(settings["clip"]))
        optimizer.step()
        number = loss.item()
        print(f"{number:.9g} {time.perf_counter() - begin:.6f} {time.process_time() - cpu:.6f}", flush=True)


main()
