"""Information Fused Temporal Transformation Network, from the paper: sections 3.1 (equations 1 to 3), 3.2
(equation 5) and 3.4."""
import torch
import torch.nn.functional as F
from torch import nn

import backbones
from baselines import Network, by_clip, fused, make_stream


class AdaptiveFusion(nn.Module):
    """Equation 3: a1*A + a2*B + a3*A*B, starting as the attention based module."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 0.0, 1.0]))

    def forward(self, a, b):
        return self.weight[0] * a + self.weight[1] * b + self.weight[2] * (a * b)


FUSIONS = {"attention": lambda a, b: a + a * b,  # equation 2
           "additive": lambda a, b: a + b,  # table 2, [5]
           "multiplicative": lambda a, b: a * b}  # table 2, [6]


class IFTTN(Network):
    def __init__(self, options, motion_channels):
        super().__init__()
        self.segments = options.get("segments", 7)
        self.first = options.get("ttn_first_stage", 3)
        self.final_merge = options.get("ttn_final_merge", False)
        self.kind = options.get("ifm", "attention")
        self.weights = options.get("fusion_weights")
        classes = options.get("classes", 101)
        for name in ("rgb", "motion"):
            self.add_module(name, make_stream(options, name, motion_channels))
            getattr(self, name).set_classifier(classes)
        # Without fusion every stream has a TTN of its own ("separate two-stream" of table 1).
        self.ttns = ["ttn_rgb", "ttn_motion"] if self.kind == "none" else ["ttn"]
        for name in self.ttns:
            ttn = backbones.make(options)
            backbones.keep_from_stage(ttn, self.first)
            ttn.set_classifier(classes)
            self.add_module(name, ttn)
        if self.kind == "adaptive":
            self.ifm = nn.Module()
            for stage in self.merged_stages():
                self.ifm.add_module(f"stage{stage}", AdaptiveFusion())

    def merged_stages(self):
        """The stages whose features enter the TTN: the one before its first stage, and those between its stages."""
        return range(self.first - 1, 6 if self.final_merge else 5)

    def fuse(self, stage, a, b):
        if self.kind == "adaptive":
            return getattr(self.ifm, f"stage{stage}")(a, b)
        return FUSIONS[self.kind](a, b)

    def transform(self, ttn, features):
        """Equation 5 over all pairs of adjacent segments. features: stage -> [N*K, C, H, W]. Returns [N, classes]."""
        def change(stage):
            f = by_clip(features[stage], self.segments)
            return (f[:, 1:] - f[:, :-1]).flatten(0, 1)

        x = change(self.first - 1)
        for stage in range(self.first, 6):
            x = ttn.stage(stage, x)
            if stage in features:
                x = x + change(stage)
        return ttn.classify(by_clip(x.mean(dim=(2, 3)), self.segments - 1).mean(dim=1))

    def forward(self, inputs):
        heads, stages = {}, {}
        for name in ("rgb", "motion"):
            stream, x = getattr(self, name), inputs[name]
            stages[name] = {}
            for number in range(1, 6):
                x = stream.stage(number, x)
                stages[name][number] = x
            heads[name] = by_clip(stream.classify(x.mean(dim=(2, 3))), self.segments).mean(dim=1)
        for name in self.ttns:
            if self.kind == "none":
                features = {s: stages[name.removeprefix("ttn_")][s] for s in self.merged_stages()}
            else:
                features = {s: self.fuse(s, stages["rgb"][s], stages["motion"][s]) for s in self.merged_stages()}
            heads[name] = self.transform(getattr(self, name), features)
        scores = fused(list(heads.values()), self.weights)
        return {"scores": scores, "probabilities": F.softmax(scores, dim=1), "heads": heads}
