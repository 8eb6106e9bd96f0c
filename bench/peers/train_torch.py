#!/usr/bin/env python3
"""The peer of bench/train_bench.cpp: the same training in PyTorch, by torchvision's own networks.

Arguments: FOLDER NETWORK PRECISION STEPS [name=value ...]. The folder holds start.safetensors and batches.safetensors, as the
bench writes them. Prints a line "LOSS SECONDS CPU-SECONDS" for each step. Settings that are no part of the task, so that the
quickest can be chosen: layout=channels_last|rows, foreach=1|0, relu6=torch|clamp|split.
"""
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


def make_network(name, start, settings):
    network = getattr(torchvision.models, name)(num_classes=int(settings["classes"]))
    state = {key.removeprefix("rgb."): value for key, value in start.items()}
    state.update({key: value for key, value in network.state_dict().items() if key.endswith("num_batches_tracked")})
    network.load_state_dict(state)
    if name == "mobilenet_v2":
        network.classifier[0] = torch.nn.Identity()  # no dropout, here and there
        if settings["relu6"] != "torch":
            replace_relu6(network, settings["relu6"])
    return network


def main():
    folder, name, precision, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    settings = {"layout": "channels_last", "foreach": "0", "relu6": "split" if precision == "bf16" else "torch",
                "threads": "2", "classes": "101", "rate": "0.01", "clip": "20", "batches": "4"}
    settings.update(argument.split("=", 1) for argument in sys.argv[5:])
    torch.set_num_threads(int(settings["threads"]))
    start, batches = read_safetensors(f"{folder}/start.safetensors"), read_safetensors(f"{folder}/batches.safetensors")
    bf16 = precision == "bf16"
    network = make_network(name, start, settings).train()
    count = int(settings["batches"])
    inputs = [batches[f"x{i}"] for i in range(count)]
    labels = [batches[f"labels{i}"] for i in range(count)]
    if settings["layout"] == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        inputs = [x.to(memory_format=torch.channels_last) for x in inputs]
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=float(settings["rate"]), momentum=0.9, weight_decay=5e-4,
                                foreach=settings["foreach"] == "1")
    for step in range(steps):
        begin, cpu = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            output = network(inputs[step % count])
            loss = criterion(output.float(), labels[step % count])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), float(settings["clip"]))
        optimizer.step()
        number = loss.item()
        print(f"{number:.9g} {time.perf_counter() - begin:.6f} {time.process_time() - cpu:.6f}", flush=True)


main()
