#!/usr/bin/env python3
"""Writes weights and logits of torchvision networks, for the parity tests of actio.

The networks are torchvision's own, so that nothing here can share a mistake with actio. Weights and batch norm statistics
come from a seed and are nothing that a network would learn, but every value differs from its default.

    python3 tools/golden/torchvision_logits.py OUT NETWORK [SIZE [transform_input]]

writes OUT/NETWORK.pth (torch.save of the state dict), OUT/NETWORK.input.f32 [2, 3, SIZE, SIZE] and OUT/NETWORK.logits.f32
[2, 1000], raw little-endian float32. With transform_input, as in torchvision's published Inception-V3, the input written is
pixels, 0 to 255; the network takes them with ImageNet's mean and deviation and transforms them itself.
"""
import pathlib
import sys

import torch
import torchvision


def randomise(network, seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(tensor, low, high):
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * (2.0 / fan_in) ** 0.5)
            elif isinstance(module, torch.nn.BatchNorm2d):
                draw(module.weight, 0.6, 1.2)
                draw(module.bias, -0.2, 0.2)
                draw(module.running_mean, -0.3, 0.3)
                draw(module.running_var, 0.6, 1.6)
            elif isinstance(module, torch.nn.Linear):
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * 0.05)
                draw(module.bias, -0.5, 0.5)


def main():
    out, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 224
    torch.set_num_threads(2)
    transform = sys.argv[4:] == ["transform_input"]
    own_options = {"init_weights": False, "transform_input": transform} if name == "inception_v3" else {}
    network = getattr(torchvision.models, name)(weights=None, **own_options)
    randomise(network, seed=20)
    network.eval()
    generator = torch.Generator().manual_seed(21)
    if transform:
        images = torch.randint(0, 256, (2, 3, size, size), generator=generator).float()
        normalised = torchvision.transforms.functional.normalize(images / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    else:
        images = normalised = torch.randn(2, 3, size, size, generator=generator)
    with torch.no_grad():
        logits = network(normalised)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out / f"{name}.pth")
    images.numpy().tofile(out / f"{name}.input.f32")
    logits.numpy().tofile(out / f"{name}.logits.f32")
    print(f"{name}: logits from {logits.min():.3f} to {logits.max():.3f}")


main()
