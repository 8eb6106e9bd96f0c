"""Spatio-Temporal Fusion Network, from the paper: section 3.1 (equation 1), 3.2 (equations 3 to 6, figures 3 to 5), 4.2."""
import torch
import torch.nn.functional as F
from torch import nn

from baselines import Network, by_clip, make_stream


class ConvOverTime(nn.Module):
    """conv_b of figure 3: a 1-d convolution that retains the length, batch normalisation and, but for the skip, ReLU."""

    def __init__(self, inputs, filters, kernel, activate):
        super().__init__()
        self.conv = nn.Conv1d(inputs, filters, kernel, bias=False)
        self.bn = nn.BatchNorm1d(filters)
        self.relu = nn.ReLU() if activate else nn.Identity()
        left = (kernel - 1) // 2  # an even kernel sees one frame more of the future
        self.pads = (left, kernel - 1 - left)

    def forward(self, x):
        return self.relu(self.bn(self.conv(F.pad(x, self.pads))))


class ResInc(nn.Module):
    """Equation 3: y = C(R(F; W_2..5)) + R(F; W_j), then ReLU. [N, D, K] -> [N, D, K]"""

    def __init__(self, dimension):
        super().__init__()
        for kernel in (2, 3, 4, 5):
            self.add_module(f"branch{kernel}", ConvOverTime(dimension, dimension // 4, kernel, activate=True))
        self.skip = ConvOverTime(dimension, dimension, 2, activate=False)
        self.relu = nn.ReLU()

    def forward(self, x):
        residual = torch.cat([self.branch2(x), self.branch3(x), self.branch4(x), self.branch5(x)], dim=1)
        return self.relu(residual + self.skip(x))


class ResIncs(nn.Sequential):
    """Consecutive blocks."""

    def __init__(self, dimension, blocks):
        super().__init__()
        for i in range(blocks):
            self.add_module(f"res_inc{i}", ResInc(dimension))


class Head(nn.Module):
    """H of equation 1: mean over time, a linear layer, softmax."""

    def __init__(self, dimension, classes):
        super().__init__()
        self.fc = nn.Linear(dimension, classes)

    def forward(self, x):
        return F.softmax(self.fc(x.mean(dim=2)), dim=1)


class WeightedAverage(nn.Module):
    """The "automatic scaling" that section 4.4 tried, with a learnable weight of each stream."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, 0.5]))

    def forward(self, a, m):
        return self.weight[0] * a + self.weight[1] * m


class STFN(Network):
    def __init__(self, options, motion_channels):
        super().__init__()
        self.segments = options.get("segments", 7)
        self.design = options.get("stfn_design", "a")
        self.fusion = options.get("stfn_fusion", "average")
        self.direction = options.get("stfn_direction", "bidirectional")
        self.weights = options.get("stfn_weights")  # of the "weighted average" that section 4.4 tried
        blocks, classes = options.get("stfn_blocks", 1), options.get("classes", 101)
        blocks_after = options.get("stfn_blocks_after", 0) or blocks
        # "We retain only convolutional layers and global pooling layer of each network."
        self.rgb = make_stream(options, "rgb", motion_channels)
        self.motion = make_stream(options, "motion", motion_channels)
        width = self.rgb.dimension
        self.stfn = nn.Module()
        if self.design == "c":
            self.stfn.joint = ResIncs(2 * width, blocks)
            self.stfn.head = Head(2 * width, classes)
            return
        self.stfn.a, self.stfn.m = ResIncs(width, blocks), ResIncs(width, blocks)
        if self.fusion == "weighted" and self.direction != "none" and not self.weights:
            self.stfn.fusion = WeightedAverage()
        if self.design == "a":
            self.stfn.fa, self.stfn.fm = ResIncs(width, blocks_after), ResIncs(width, blocks_after)
        self.stfn.head_a, self.stfn.head_m = Head(width, classes), Head(width, classes)

    def fuse(self, a, m):
        if self.fusion == "average":
            return (a + m) / 2  # equation 4
        if self.fusion == "multiplication":
            return a * m  # equation 5
        if self.fusion == "maximum":
            return torch.maximum(a, m)  # equation 6
        if self.weights:
            return (self.weights[0] * a + self.weights[1] * m) / sum(self.weights)
        return self.stfn.fusion(a, m)

    def probabilities(self, a, m):
        """From the sequences of both streams, [N, D, K]."""
        if self.design == "c":  # figure 4c
            return self.stfn.head(self.stfn.joint(torch.cat([a, m], dim=1)))
        a, m = self.stfn.a(a), self.stfn.m(m)
        # Without a direction, G is left out, as section 3.1 allows.
        if self.direction in ("bidirectional", "a_from_m"):  # figure 5b; 5a: appearance takes the motion stream's signal in
            fused_a = self.fuse(a, m)
        else:
            fused_a = a
        if self.direction in ("bidirectional", "m_from_a"):
            m = self.fuse(a, m)
        a = fused_a
        if self.design == "a":  # figure 4a; 4b goes without
            a, m = self.stfn.fa(a), self.stfn.fm(m)
        return (self.stfn.head_a(a) + self.stfn.head_m(m)) / 2

    def forward(self, inputs):
        a, m = (by_clip(stream.pooled(inputs[name]), self.segments).transpose(1, 2)
                for name, stream in (("rgb", self.rgb), ("motion", self.motion)))
        probabilities = self.probabilities(a, m)
        return {"scores": probabilities, "probabilities": probabilities, "heads": {"stfn": probabilities}}

    def loss(self, outputs, labels):
        """The negative logarithm of the averaged probability."""
        return -outputs["probabilities"][torch.arange(len(labels)), labels].log().mean()


class ResIncAlone(Network):
    """One block by itself. The sequences are the rows of "x"; its flattened output stands for scores."""

    def __init__(self, options, _):
        super().__init__()
        self.segments = options["segments"]
        self.stfn = nn.Module()
        self.stfn.a = ResIncs(options["dimension"], 1)

    def forward(self, inputs):
        sequence = by_clip(inputs["x"], self.segments).transpose(1, 2)
        scores = self.stfn.a(sequence).flatten(1)
        return {"scores": scores, "probabilities": F.softmax(scores, dim=1), "heads": {"block": scores}}
