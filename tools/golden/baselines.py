"""The networks that both papers compare with: TSN, two-stream, spatiotemporal residual and multiplier networks, TRN.

Every network maps {"rgb": [N*K, 3, S, S], "motion": [N*K, C, S, S]} to a dict: "scores" and "probabilities" [N, classes],
and "heads": what each term of the loss is computed from. Dropout is left out: all comparisons are made without it.
"""
import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

import backbones


def make_stream(options, name, motion_channels):
    network = backbones.make(options)
    if name == "motion":
        network.set_input_channels(motion_channels)
    return network


def by_clip(x, segments):
    """[N*K, ...] -> [N, K, ...]"""
    return x.reshape(-1, segments, *x.shape[1:])


def fused(scores, weights):
    """The late fusion of scores: their weighted mean, with equal weights by default."""
    weights = weights or [1] * len(scores)
    return sum(weight / sum(weights) * score for weight, score in zip(weights, scores))


class Network(nn.Module):
    head_weights = {}

    def loss(self, outputs, labels):
        """Cross-entropy of every head, summed."""
        terms = {name: F.cross_entropy(logits, labels) for name, logits in outputs["heads"].items()}
        return sum(self.head_weights.get(name, 1.0) * term for name, term in terms.items())


class TSN(Network):
    """Temporal Segment Networks: scores of every snippet, averaged over the segments; streams late-fused.
    With Inception's auxiliary classifier: one more head, of weight 0.4, that is not part of the prediction."""

    def __init__(self, options, motion_channels):
        super().__init__()
        streams = options.get("streams", "both")
        self.names = ["rgb", "motion"] if streams == "both" else [streams]
        self.segments = options.get("segments", 7)
        self.weights = options.get("fusion_weights")
        for name in self.names:
            self.add_module(name, make_stream(options, name, motion_channels))
            getattr(self, name).set_classifier(options.get("classes", 101))
        self.head_weights = {name + ".AuxLogits": 0.4 for name in self.names}

    def logits_of_snippets(self, inputs):
        """[N, K, classes] of each stream, and of its auxiliary head"""
        main, aux = {}, {}
        for name in self.names:
            stream = getattr(self, name)
            x = inputs[name]
            for number in range(1, 6):
                x = stream.stage(number, x)
                if number == 4 and hasattr(stream, "AuxLogits"):
                    aux[name + ".AuxLogits"] = by_clip(stream.AuxLogits(x), self.segments)
            main[name] = by_clip(stream.classify(x.mean(dim=(2, 3))), self.segments)
        return main, aux

    def forward(self, inputs):
        main, aux = self.logits_of_snippets(inputs)
        heads = {name: logits.mean(dim=1) for name, logits in (main | aux).items()}
        scores = fused([heads[name] for name in self.names], self.weights)
        return {"scores": scores, "probabilities": F.softmax(scores, dim=1), "heads": heads}


class TwoStream(TSN):
    """Simonyan and Zisserman: the streams' softmax scores of single snippets are averaged, then the streams are."""

    def forward(self, inputs):
        main, aux = self.logits_of_snippets(inputs)
        probabilities = fused([F.softmax(main[name], dim=2).mean(dim=1) for name in self.names], self.weights)
        heads = {name: logits.mean(dim=1) for name, logits in (main | aux).items()}
        return {"scores": probabilities, "probabilities": probabilities, "heads": heads}


class SpatiotemporalFusion(TSN):
    """Feichtenhofer et al.: in every stage from the second on, the motion stream enters the residual branch of one unit of
    the appearance stream, by addition (Spatiotemporal Residual Networks) or multiplication (Spatiotemporal Multiplier
    Networks). The skip connection is left alone."""

    def __init__(self, options, motion_channels):
        super().__init__(options | {"streams": "both"}, motion_channels)
        self.kind = options.get("st_fusion", "additive")

    def two_stages(self, number, a, m):
        target, source = (backbones.injected_unit(stream, number) for stream in (self.rgb, self.motion))
        for unit_a, unit_m in zip(self.rgb.stages()[number - 1], self.motion.stages()[number - 1]):
            if unit_a is target:
                assert unit_m is source
                mixed = a + m if self.kind == "additive" else a * m
                a = backbones.after_residual_sum(unit_a, a + backbones.residual_branch(unit_a, mixed))
            else:
                a = unit_a(a)
            m = unit_m(m)
        return a, m

    def logits_of_snippets(self, inputs):
        a, m = self.rgb.stage(1, inputs["rgb"]), self.motion.stage(1, inputs["motion"])
        for number in range(2, 6):
            a, m = self.two_stages(number, a, m)
        return {"rgb": by_clip(self.rgb.classify(a.mean(dim=(2, 3))), self.segments),
                "motion": by_clip(self.motion.classify(m.mean(dim=(2, 3))), self.segments)}, {}


def frame_tuples(segments, size, limit):
    """Ordered tuples of frames, chosen evenly among all of them in lexicographic order."""
    every = list(itertools.combinations(range(segments), size))
    count = len(every)
    assert count == math.comb(segments, size)
    chosen = min(limit, count)
    return [every[i * (count // chosen) + i * (count % chosen) // chosen + (count // chosen) // 2] for i in range(chosen)]


class Relations(nn.Module):
    """The multi-scale temporal relations of one stream."""

    def __init__(self, dimension, options):
        super().__init__()
        features, classes = options.get("trn_features", 256), options.get("classes", 101)
        segments = options.get("segments", 7)
        self.project = nn.Linear(dimension, features)
        self.tuples = {d: frame_tuples(segments, d, options.get("trn_tuples", 3)) for d in range(segments, 1, -1)}
        for d in self.tuples:
            layers = nn.Module()
            layers.fc1, layers.relu, layers.fc2 = nn.Conv1d(d * features, 256, 1), nn.ReLU(), nn.Conv1d(256, classes, 1)
            self.add_module(f"scale{d}", layers)
        self.relu = nn.ReLU()

    def forward(self, features):
        """[N, K, D] -> [N, classes]"""
        sequence = self.project(features)
        total = 0
        for d, tuples in self.tuples.items():
            layers = getattr(self, f"scale{d}")
            # Each tuple's frames one after the other: [N, d*F, T]
            x = torch.stack([sequence[:, list(frames)].flatten(1) for frames in tuples], dim=2)
            total = total + layers.fc2(layers.relu(layers.fc1(self.relu(x)))).sum(dim=2)
        return total


class TRN(Network):
    """Zhou et al., Temporal Relational Reasoning in Videos: the multi-scale network, one per stream, late-fused."""

    def __init__(self, options, motion_channels):
        super().__init__()
        streams = options.get("streams", "both")
        self.names = ["rgb", "motion"] if streams == "both" else [streams]
        self.segments = options.get("segments", 7)
        self.weights = options.get("fusion_weights")
        for name in self.names:
            stream = make_stream(options, name, motion_channels)
            stream.trn = Relations(stream.dimension, options)
            self.add_module(name, stream)

    def forward(self, inputs):
        heads = {}
        for name in self.names:
            stream = getattr(self, name)
            heads[name] = stream.trn(by_clip(stream.pooled(inputs[name]), self.segments))
        scores = fused(list(heads.values()), self.weights)
        return {"scores": scores, "probabilities": F.softmax(scores, dim=1), "heads": heads}
