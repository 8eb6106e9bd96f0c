#!/usr/bin/env python3
"""Runs every NAME.onnx of a folder in ONNX Runtime: NAME.INPUT.f32 in, NAME.OUTPUT.f32 out, raw floats. Argument: the folder.
An input's number of clips follows from the size of its file."""
import pathlib
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.log_severity_level = 3
options.intra_op_num_threads = 2
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = {}
    for port in session.get_inputs():
        values = numpy.fromfile(path.with_suffix(f".{port.name}.f32"), numpy.float32)
        inputs[port.name] = values.reshape([-1] + port.shape[1:])
    for port, values in zip(session.get_outputs(), session.run(None, inputs)):
        values.astype(numpy.float32).tofile(path.with_suffix(f".{port.name}.f32"))
print(onnxruntime.__version__)
