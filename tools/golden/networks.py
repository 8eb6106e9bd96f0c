#!/usr/bin/env python3
"""Weights, inputs, outputs and gradients of the networks of actio, as the papers and torchvision define them.

The definitions beside this file are ordinary torch.nn modules that know nothing of actio but its parameters' names, so that
a mistake cannot be shared.

    python3 tools/golden/networks.py OUT CASES.json

CASES.json lists {"name", "options", "input_size", "motion_channels", "clips", "passes"}; options are those of actio's
networks that differ from the default, passes those of move_away_from_kinks. Each case becomes OUT/NAME.pth, a file of
torch.save with

    weights.*, inputs.*, labels                  f32, f32 [N*K, ...], i64 [N]
    eval.scores, .probabilities, .heads.*        f64, evaluation mode
    eval.rounding                                f64 [1]: how far the same run in f32 is off, in units of a tensor's range
    train.loss, train.gradients.*                f64, training mode without dropout
    train.rounding.*                             f64 [1] for each gradient: as above, norm of the difference over norm (at
                                                 least SMALLEST of the norm of the whole gradient)
    train.smooth                                 i64 [1]: 1 unless rounding may have moved a ReLU's input across a kink
    counts.parameters, .multiply_adds            i64 [1], of a clip, counted by hooks on convolutions and linear layers
"""
import copy
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import inception

import backbones
import baselines
import if_ttn
import stfn

NETWORKS = {"tsn": baselines.TSN, "two_stream": baselines.TwoStream, "st_fusion": baselines.SpatiotemporalFusion,
            "trn": baselines.TRN, "stfn": stfn.STFN, "if_ttn": if_ttn.IFTTN, "res_inc": stfn.ResIncAlone}
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
LOGITS = 1.0  # their deviation among clips
SMALLEST = 1e-5


def uniform(tensor, low, high, generator):
    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)


def set_rate_of_statistics(network, rate):
    for module in network.modules():
        if isinstance(module, BATCH_NORMS):
            module.momentum = rate


@torch.no_grad()
def randomise(network, inputs, generator):
    """Every parameter and statistic differs from its default, and signals keep their size in both modes: the statistics are
    those of the inputs, then moved."""
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS + (nn.Linear,)):
            deviation = (2.0 / module.weight[0].numel()) ** 0.5
            module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * deviation)
            if module.bias is not None:
                uniform(module.bias, -0.4, 0.4, generator)
        elif isinstance(module, BATCH_NORMS):
            uniform(module.weight, 0.6, 1.2, generator)
            uniform(module.bias, -0.2, 0.3, generator)
        elif isinstance(module, stfn.WeightedAverage):
            uniform(module.weight, 0.3, 0.9, generator)
        elif isinstance(module, if_ttn.AdaptiveFusion):
            module.weight.copy_(torch.tensor([0.7, -0.4, 1.3]) + 0.2 * torch.rand(3, generator=generator))

    for norm in backbones.last_norms_of_residual_branches(network):
        norm.weight.mul_(0.3)  # as trained networks have it: otherwise every unit adds to the rounding of all before it
    set_rate_of_statistics(network, 1.0)
    network.train()(inputs)
    set_rate_of_statistics(network, 0.1)
    for module in network.modules():
        if isinstance(module, BATCH_NORMS):
            spread = module.running_var.sqrt()
            module.running_mean.add_(spread * (torch.rand(spread.shape, generator=generator) * 0.4 - 0.2))
            module.running_var.mul_(torch.rand(spread.shape, generator=generator) * 0.8 + 0.7)
    scale_classifiers(network, inputs, generator)


@torch.no_grad()
def scale_classifiers(network, inputs, generator):
    """Scores tell the clips apart, and probabilities are neither equal nor 0 and 1."""
    def targets(output):
        rows = output.flatten(0, -2)
        factor = LOGITS / torch.maximum((rows - rows.mean(dim=0)).std(), 0.25 * rows.std())
        wanted = torch.rand(rows.shape[1], generator=generator) - 0.5
        return factor, wanted - factor * rows.mean(dim=0)

    def scale_linear(module, _, output):
        products = output - module.bias
        factor, shift = targets(products)
        module.weight.mul_(factor)
        module.bias.copy_(shift)
        return products * factor + shift

    def scale_relations(module, _, output):
        factor, shift = targets(output)
        for d, tuples in module.tuples.items():
            layer = getattr(module, f"scale{d}").fc2
            layer.weight.mul_(factor)
            layer.bias.mul_(factor).add_(shift / (len(module.tuples) * len(tuples)))
        return output * factor + shift

    hooks = [m.register_forward_hook(scale_linear) for m in network.modules() if isinstance(m, nn.Linear)]
    hooks += [m.register_forward_hook(scale_relations) for m in network.modules() if isinstance(m, baselines.Relations)]
    network.eval()(inputs)
    for hook in hooks:
        hook.remove()


def draw_inputs(case, generator):
    """Snippets with a colour, large shapes and texture of their own, so that clips and orders can be told apart."""
    options, rows = case["options"], case["clips"] * case["options"].get("segments", 7)
    if "dimension" in options:
        return {"x": torch.randn(rows, options["dimension"], generator=generator).relu()}
    size, inputs = case["input_size"], {}
    streams = options.get("streams", "both")
    for name, channels in (("rgb", 3), ("motion", case["motion_channels"])):
        if streams not in (name, "both"):
            continue
        shapes = torch.randn(rows, channels, 4, 4, generator=generator)
        inputs[name] = F.interpolate(shapes, (size, size), mode="bilinear", align_corners=False)
        inputs[name] += torch.randn(rows, channels, 1, 1, generator=generator)
        inputs[name] += 0.5 * torch.randn(rows, channels, size, size, generator=generator)
    return inputs


def as_double(inputs):
    return {name: value.double() for name, value in inputs.items()}


class ActivationInputs:
    """What enters every ReLU of a pass, and the last layer with a shift before it. torchvision's Inception calls ReLU as a
    function, always on a batch norm's output."""

    def __init__(self, network):
        self.records = []  # values, whether 6 is a kink too, layer
        self.layer = None
        self.hooks = []
        in_function = {m.bn for m in network.modules() if isinstance(m, inception.BasicConv2d)}
        for module in network.modules():
            if isinstance(module, (nn.ReLU, nn.ReLU6)):
                self.hooks.append(module.register_forward_pre_hook(self.before_activation))
            elif getattr(module, "bias", None) is not None:
                after = self.after_unit if module in in_function else self.after_layer
                self.hooks.append(module.register_forward_hook(after))

    def before_activation(self, module, inputs):
        self.records.append((inputs[0].detach().double().clone(), isinstance(module, nn.ReLU6), self.layer))

    def after_layer(self, module, _, output):
        self.layer = module

    def after_unit(self, module, _, output):
        self.records.append((output.detach().double().clone(), False, module))

    @torch.no_grad()
    def of(network, inputs):
        watch = ActivationInputs(network)
        network.train()(inputs)
        for hook in watch.hooks:
            hook.remove()
        return watch.records


@torch.no_grad()
def move_away_from_kinks(network, inputs, generator, passes):
    """The gradient jumps where the input of a ReLU changes its sign, and near a kink rounding decides about that. So
    channels with such an input get another shift, until rounding decides about none. Returns whether that was reached."""
    set_rate_of_statistics(network, 0.0)
    for _ in range(passes):
        exact = ActivationInputs.of(network.double(), as_double(inputs))
        rounded = ActivationInputs.of(network.float(), inputs)
        moved = False
        for (x, six, layer), (y, _, _) in zip(exact, rounded):
            distance = torch.minimum(x.abs(), (x - 6).abs()) if six else x.abs()
            near = (distance <= 4 * (x - y).abs().max()).transpose(0, 1).flatten(1).any(dim=1)
            if near.any():
                moved = True
                near = near.reshape(-1, layer.bias.numel()).any(dim=0)  # several frames, side by side, may share the layer
                layer.bias[near] += torch.rand(int(near.sum()), generator=generator) * 0.04 - 0.02
        if not moved:
            break
    set_rate_of_statistics(network, 0.1)
    return not moved


def train_pass(network, inputs, labels):
    """Loss and gradients."""
    network = copy.deepcopy(network).train()
    loss = network.loss(network(inputs), labels)
    loss.backward()
    return loss.detach(), {name: parameter.grad for name, parameter in network.named_parameters()}


def flat(outputs):
    return {"scores": outputs["scores"], "probabilities": outputs["probabilities"]} | outputs["heads"]


@torch.no_grad()
def evaluate(network, inputs):
    exact = copy.deepcopy(network).double().eval()(as_double(inputs))
    rounded = flat(network.eval()(inputs))
    ranges = {name: value.max() - value.min() for name, value in flat(exact).items()}
    rounding = max((flat(exact)[name] - rounded[name]).abs().max() / ranges[name] for name in ranges)
    return exact | {"rounding": rounding.reshape(1)}


def train(network, inputs, labels):
    loss, gradients = train_pass(copy.deepcopy(network).double(), as_double(inputs), labels)
    _, rounded = train_pass(network, inputs, labels)
    total = torch.stack([g.norm() for g in gradients.values()]).norm()
    rounding = {name: (rounded[name] - g).norm().reshape(1) / max(g.norm(), SMALLEST * total) for name, g in gradients.items()}
    return {"loss": loss.reshape(1), "gradients": gradients, "rounding": rounding}


@torch.no_grad()
def count(network, inputs, clips):
    """A multiply-add is one product of a weight and an input that a convolution or linear layer adds up."""
    total = 0

    def add(module, _, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(add) for m in network.modules() if isinstance(m, CONVOLUTIONS + (nn.Linear,))]
    network.eval()(inputs)
    for hook in hooks:
        hook.remove()
    assert total % clips == 0
    return {"parameters": torch.tensor([sum(p.numel() for p in network.parameters())]),
            "multiply_adds": torch.tensor([total // clips])}


def compute(case):
    options = case["options"]
    generator = torch.Generator().manual_seed(1)
    network = NETWORKS[options.get("network", "if_ttn")](options, case["motion_channels"])
    inputs = draw_inputs(case, generator)
    randomise(network, inputs, generator)
    labels = torch.tensor([(2 * i + 1) % options.get("classes", 101) for i in range(case["clips"])])
    smooth = case["passes"] > 0 and move_away_from_kinks(network, inputs, generator, case["passes"])
    weights = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    return {"weights": weights, "inputs": inputs, "labels": labels, "eval": evaluate(network, inputs),
            "train": train(network, inputs, labels) | {"smooth": torch.tensor([int(smooth)])},
            "counts": count(network, inputs, case["clips"])}


def summary(name, result):
    scores, rounding = result["eval"]["scores"], torch.cat(list(result["train"]["rounding"].values()))
    difference = (scores[0] - scores[1]).abs().max()
    text = f"{name}: scores {scores.min():.2f} to {scores.max():.2f}, clips differ by {difference:.2f}"
    text += f", rounding {result['eval']['rounding'].item():.1e}"
    text += f", of gradients {rounding.median():.1e} to {rounding.max():.1e}; loss {result['train']['loss'].item():.3f}"
    return text if result["train"]["smooth"] else text + ", near a kink"


def main():
    out, cases = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    torch.set_num_threads(1)  # more wait for each other, on values this small
    out.mkdir(parents=True, exist_ok=True)
    for case in cases:
        result = compute(case)
        torch.save(result, out / f"{case['name']}.pth")
        print(summary(case["name"], result), flush=True)


if __name__ == "__main__":
    main()
