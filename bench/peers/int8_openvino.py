#!/usr/bin/env python3
"""One clip through actio, OpenVINO and ONNX Runtime, in f32 and in 8 bits, in turn, after their scores were compared.

Arguments: ACTIO MODEL [threads=1] [rounds=5] [seconds=2]. MODEL went through `actio quantize`. `ACTIO export` makes the peers' file. OpenVINO's 8 bits are
NNCF's post-training quantization, calibrated on random inputs: its speed counts here, its answers do not. Needs openvino, nncf, onnxruntime and
safetensors' format alone. Prints a line for each engine: milliseconds a clip (median of rounds), and the time over that of actio in 8 bits with its range.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        raw = numpy.ascontiguousarray(value, numpy.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[slice(*entry["data_offsets"])], numpy.float32).reshape(entry["shape"]) for name, entry in header.items()}


def median_of(work, seconds):
    times, begin = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(numpy.median(times))


class Actio:
    def __init__(self, actio, model, inputs, precision, threads, folder):
        self.outputs = os.path.join(folder, precision + ".safetensors")
        self.command = [actio, "bench", model, "--precision", precision, "--threads", str(threads), "--inputs", inputs, "--no-verify", "--json", "--outputs",
                        self.outputs]

    def time(self, seconds):
        answer = json.loads(subprocess.run(self.command + ["--seconds", str(seconds)], check=True, capture_output=True, text=True).stdout)
        self.processor = answer["processor"] + ", " + answer["engine"]
        self.precision = answer["settings"][0]["precision"]
        return answer["settings"][0]["clip_seconds"]["median"]

    def scores(self):
        self.time(0)
        return read_safetensors(self.outputs)["scores"]


class OpenVino:
    def __init__(self, model, inputs, threads, core):
        self.request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        self.inputs = inputs

    def scores(self):
        return self.request.infer(self.inputs)["scores"]

    def time(self, seconds):
        return median_of(lambda: self.request.infer(self.inputs, share_inputs=True), seconds)


class OnnxRuntime:
    def __init__(self, path, inputs, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = inputs

    def scores(self):
        return self.session.run(["scores"], self.inputs)[0]

    def time(self, seconds):
        return median_of(lambda: self.session.run(["scores"], self.inputs), seconds)


def main():
    actio, model = sys.argv[1:3]
    settings = dict(argument.split("=") for argument in sys.argv[3:])
    threads, rounds, seconds = int(settings.get("threads", 1)), int(settings.get("rounds", 5)), float(settings.get("seconds", 2))
    import nncf
    import openvino

    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model.onnx")
    subprocess.run([actio, "export", model, "-o", path], check=True, stdout=subprocess.DEVNULL)
    core = openvino.Core()
    whole = core.read_model(path)
    rng = numpy.random.default_rng(3)
    shapes = {port.any_name: list(port.shape) for port in whole.inputs}
    clip = {name: rng.standard_normal(shape).astype(numpy.float32) for name, shape in shapes.items()}
    inputs = os.path.join(folder, "clip.safetensors")
    write_safetensors(inputs, {name: value[0] for name, value in clip.items()})
    calibration = nncf.Dataset([clip] + [{name: rng.standard_normal(shape).astype(numpy.float32) for name, shape in shapes.items()} for _ in range(3)])
    rounded = nncf.quantize(whole, calibration, preset=nncf.QuantizationPreset.MIXED, subset_size=4)
    engines = {
        "actio int8": Actio(actio, model, inputs, "int8", threads, folder),
        "actio f32": Actio(actio, model, inputs, "f32", threads, folder),
        "OpenVINO int8": OpenVino(rounded, clip, threads, core),
        "OpenVINO f32": OpenVino(whole, clip, threads, core),
        "ONNX Runtime f32": OnnxRuntime(path, clip, threads),
    }
    exact = engines["actio f32"].scores().ravel()
    errors = {}
    for name, engine in engines.items():
        errors[name] = float(numpy.abs(engine.scores().ravel() - exact).max() / numpy.abs(exact).max())
        if name.endswith("f32") and errors[name] > 1e-3:
            sys.exit(f"{name}: scores are off by {errors[name]:.2g} of the largest: nothing was timed")
    times = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            times[name].append(engine.time(seconds))
    cpu = re.search("model name\t: (.*)", open("/proc/cpuinfo").read()).group(1)
    print(f"{cpu}: {engines['actio int8'].processor}; OpenVINO {openvino.__version__}; {threads} threads; {rounds} rounds of {seconds:g} s")
    print("| engine | ms a clip | time over actio's int8 | off f32 |\n|---|---|---|---|")
    for name in engines:
        ratios = numpy.array(times[name]) / numpy.array(times["actio int8"])
        print(f"| {name} | {1e3 * numpy.median(times[name]):.1f} | {numpy.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f}) | {errors[name]:.1e} |")


main()
