"""The image networks of the streams: torchvision's own building blocks, cut into five stages, at any width.

A stage ends where the resolution is about to halve. For ResNet these are conv1..conv5_x of the papers (the max pool belongs
to the stem); for the other networks the first module that halves the resolution starts the next stage.
"""
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models import inception, mobilenetv2, resnet


class Staged:
    """What a stream and the TTN need of an image network. `stages()` lists the modules of each of the five stages."""

    def stage(self, number, x):
        for module in self.stages()[number - 1]:
            x = module(x)
        return x

    def pooled(self, x):
        """[N, 3, S, S] -> [N, D]"""
        for number in range(1, 6):
            x = self.stage(number, x)
        return x.mean(dim=(2, 3))


class ResNet(Staged, torchvision.models.ResNet):
    """torchvision's ResNet with a factor on its channels. Its constructor has the channels written into it; the layers are
    made by torchvision's _make_layer all the same."""

    def __init__(self, block, layers, width):
        nn.Module.__init__(self)
        self._norm_layer, self.groups, self.base_width, self.dilation = nn.BatchNorm2d, 1, 64, 1
        planes = round(64 * width)
        self.inplanes = planes
        self.conv1 = nn.Conv2d(3, planes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, planes, layers[0])
        self.layer2 = self._make_layer(block, planes * 2, layers[1], stride=2)
        self.layer3 = self._make_layer(block, planes * 4, layers[2], stride=2)
        self.layer4 = self._make_layer(block, planes * 8, layers[3], stride=2)
        self.dimension = planes * 8 * block.expansion

    def stages(self):
        return [[self.conv1, self.bn1, self.relu, self.maxpool], self.layer1, self.layer2, self.layer3, self.layer4]

    def set_classifier(self, classes):
        self.fc = nn.Linear(self.dimension, classes)

    def classify(self, features):
        return self.fc(features)

    def set_input_channels(self, channels):
        self.conv1 = like(self.conv1, channels)


class MobileNetV2(Staged, torchvision.models.MobileNetV2):
    def __init__(self, width):
        super().__init__(width_mult=width)
        self.dimension = self.last_channel
        del self.classifier

    def stages(self):
        stages = []
        for module in self.features:
            if any(isinstance(m, nn.Conv2d) and m.stride == (2, 2) for m in module.modules()):
                stages.append([])
            if stages:
                stages[-1].append(module)
        return [[]] * (5 - len(stages)) + stages  # of a TTN: the stages that it keeps

    def set_classifier(self, classes):
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(self.dimension, classes))

    def classify(self, features):
        return self.classifier(features)

    def set_input_channels(self, channels):
        self.features[0][0] = like(self.features[0][0], channels)


class InceptionV3(Staged, torchvision.models.Inception3):
    """torchvision's Inception with a factor on its channels. The transform of the input is the caller's business."""

    def __init__(self, width, aux_head):
        class Unit(inception.BasicConv2d):
            def __init__(self, in_channels, out_channels, **kwargs):
                nn.Module.__init__(self)
                inputs = 3 if in_channels == 3 else round(in_channels * width)
                self.conv = nn.Conv2d(inputs, round(out_channels * width), bias=False, **kwargs)
                self.bn = nn.BatchNorm2d(round(out_channels * width), eps=0.001)

        def with_unit(block):
            return lambda *args, **kwargs: block(*args, conv_block=Unit, **kwargs)

        blocks = [inception.InceptionA, inception.InceptionB, inception.InceptionC, inception.InceptionD,
                  inception.InceptionE, inception.InceptionAux]
        super().__init__(aux_logits=aux_head, init_weights=False, inception_blocks=[Unit] + [with_unit(b) for b in blocks])
        self.dimension = round(2048 * width)
        self.aux_dimension = round(768 * width)
        del self.fc
        if not aux_head:
            del self.AuxLogits

    def stages(self):
        names = [["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"], ["maxpool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3"],
                 ["maxpool2", "Mixed_5b", "Mixed_5c", "Mixed_5d"],
                 ["Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"], ["Mixed_7a", "Mixed_7b", "Mixed_7c"]]
        return [[getattr(self, name) for name in stage if hasattr(self, name)] for stage in names]

    def set_classifier(self, classes):
        self.fc = nn.Linear(self.dimension, classes)
        if hasattr(self, "AuxLogits"):
            self.AuxLogits.fc = nn.Linear(self.aux_dimension, classes)

    def classify(self, features):
        return self.fc(features)

    def set_input_channels(self, channels):
        self.Conv2d_1a_3x3.conv = like(self.Conv2d_1a_3x3.conv, channels)


def like(conv, channels):
    """The same convolution for other input channels: the first of a motion stream."""
    return nn.Conv2d(channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, bias=False)


class HalvingConv2d(nn.Conv2d):
    """TensorFlow's padding "SAME" at stride 2: as much as ceil(size / 2) outputs need, the odd one at the end."""

    def forward(self, x):
        pads = []
        for axis, kernel in ((3, self.kernel_size[1]), (2, self.kernel_size[0])):
            size = x.shape[axis]
            total = max(0, (-(-size // 2) - 1) * 2 + kernel - size)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, None, self.stride, 0, self.dilation, self.groups)


def pad_as_tensorflow(network):
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2) and module.kernel_size[0] > 1:
            module.__class__ = HalvingConv2d


def make(options):
    name, width = options.get("backbone", "mobilenet_v2"), options.get("width", 1.0)
    if name == "mobilenet_v2":
        network = MobileNetV2(width)
    elif name == "inception_v3":
        network = InceptionV3(width, options.get("aux_head", False))
    else:
        block, layers = {"resnet18": (resnet.BasicBlock, [2, 2, 2, 2]), "resnet34": (resnet.BasicBlock, [3, 4, 6, 3]),
                         "resnet50": (resnet.Bottleneck, [3, 4, 6, 3]),
                         "resnet101": (resnet.Bottleneck, [3, 4, 23, 3])}[name]
        network = ResNet(block, layers, width)
    if options.get("padding", "torch") == "same" and name != "inception_v3":
        pad_as_tensorflow(network)
    return network


def keep_from_stage(network, first):
    """Drops the stages before `first`, as the TTN is a backbone without its lower stages. Names stay."""
    dropped = {id(module) for stage in network.stages()[:first - 1] for module in stage}
    dropped |= {id(stage) for stage in network.stages()[:first - 1]}
    for parent in [network, getattr(network, "features", None)]:
        for name, child in list(parent.named_children() if parent is not None else []):
            if id(child) in dropped:
                setattr(parent, name, nn.Identity())


def injected_unit(network, stage):
    """The first unit of a stage with an identity skip, after the one that the stage starts with."""
    for module in list(network.stages()[stage - 1])[1:]:
        if isinstance(module, mobilenetv2.InvertedResidual) and module.use_res_connect:
            return module
        if isinstance(module, (resnet.BasicBlock, resnet.Bottleneck)) and module.downsample is None:
            return module


def residual_branch(unit, x):
    """What a unit with an identity skip adds to it."""
    if isinstance(unit, mobilenetv2.InvertedResidual):
        return unit.conv(x)
    x = unit.relu(unit.bn1(unit.conv1(x)))
    if isinstance(unit, resnet.BasicBlock):
        return unit.bn2(unit.conv2(x))
    return unit.bn3(unit.conv3(unit.relu(unit.bn2(unit.conv2(x)))))


def after_residual_sum(unit, x):
    return x if isinstance(unit, mobilenetv2.InvertedResidual) else unit.relu(x)


def last_norms_of_residual_branches(network):
    for unit in network.modules():
        if isinstance(unit, mobilenetv2.InvertedResidual) and unit.use_res_connect:
            yield unit.conv[-1]
        elif isinstance(unit, resnet.BasicBlock):
            yield unit.bn2
        elif isinstance(unit, resnet.Bottleneck):
            yield unit.bn3
