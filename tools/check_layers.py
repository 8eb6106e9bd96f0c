#!/usr/bin/env python3
"""Proves that the modules of src/ include only what the architecture allows, third-party headers only in their folder, and the public
headers nothing but each other and the standard library; and that only programs (src/cli) print, catch signals and decide what holds for a
whole process."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
PUBLIC = ROOT / "include"
EXAMPLES = ROOT / "examples"

EVERYTHING_BELOW = {"core", "video", "motion", "data", "net", "eval", "recognize", "training", "torch", "runtime", "exporter", "stream", "explain",
                    "report", "serve"}

ALLOWED = {
    "core": set(),
    "video": {"core"},
    "motion": {"core", "video"},
    "data": {"core", "video", "motion"},
    "net": {"core"},
    "eval": {"core", "data"},
    "training": {"core", "motion", "data", "net", "eval"},
    "torch": {"core", "data", "net", "eval", "training"},
    "runtime": {"core", "net"},
    "openvino": {"core", "net", "runtime"},
    "exporter": {"core", "net"},
    "recognize": {"core", "video", "motion", "data", "net", "eval", "runtime"},
    "stream": {"core", "video", "motion", "data", "net", "recognize"},
    "explain": {"core", "video", "motion", "data", "net", "recognize", "runtime"},
    "report": {"core", "eval", "recognize", "explain"},
    "serve": {"core", "recognize", "stream", "report"},
    "api": EVERYTHING_BELOW,
    "cli": EVERYTHING_BELOW,
}

# Header prefix -> the only folders that may include it.
THIRD_PARTY = {
    "libav": {"video"}, "libsw": {"video"},
    "torch/": {"torch"}, "ATen/": {"torch"}, "c10/": {"torch"},
    "onnx/": {"exporter"}, "google/": {"exporter"}, "oneapi/": {"runtime"}, "dnnl": {"runtime"}, "openvino/": {"openvino"},
    "toml++/": {"core"}, "CLI/": {"cli"}, "opencv2/": set(), "zlib.h": {"net"}, "xxhash.h": {"core"},
    "zstd.h": {"data"}, "hwy/": {"motion", "data", "runtime"}, "actio/": {"core", "api"},
}

# What a library must not do: somebody else's process is around it.
OF_PROGRAMS = re.compile(r"(?<![\w.>:])(?:std::|::)?(puts|printf|fprintf|fputs|putchar|perror|freopen|signal|sigaction|exit|_exit|quick_exit|abort|"
                         r"terminate|mallopt|setenv|putenv|unsetenv|setlocale|av_log_set_level|av_log_set_callback)\s*\(|std::(cout|cerr|clog)\b")
# Functions for programs to call, which live beside the third-party library that they set up or that every program uses.
FOR_PROGRAMS = {"core/process_memory.cpp", "video/ffmpeg_log.cpp", "video/ffmpeg_log.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


# Loops over plain memory, which LibTorch's operations are made of here; and what the rest of the program sees of the trainer.
WITHOUT_TORCH = re.compile(r"kernels/.*|trainer/(torch_trainer\.(h|cpp)|job\.h)")


def reaches_torch(path, seen):
    """Whether a file of src/torch is made of LibTorch: it, its other half (.h, .cpp), or one of the folder that they include has a header of it."""
    if path in seen or not path.exists():
        return False
    seen.add(path)
    headers = [match.groups() for match in map(INCLUDE.match, path.read_text(encoding="utf-8").splitlines()) if match]
    if any(header.startswith(("torch/", "ATen/", "c10/")) for kind, header in headers if kind == "<"):
        return True
    others = [SRC / header for kind, header in headers if kind == '"' and header.startswith("torch/")]
    other_half = path.with_suffix(".cpp" if path.suffix == ".h" else ".h")
    return any(reaches_torch(other, seen) for other in [other_half, *others])


def without_torch():
    for path in sorted((SRC / "torch").rglob("*")):
        if path.suffix in {".h", ".cpp"} and not WITHOUT_TORCH.fullmatch(path.relative_to(SRC / "torch").as_posix()) and not reaches_torch(path, set()):
            yield f"{path.relative_to(ROOT)}: needs no LibTorch, so it belongs into src/training"


def problems():
    for path in sorted(SRC.rglob("*")):
        if path.suffix not in {".h", ".cpp"}:
            continue
        module = path.relative_to(SRC).parts[0]
        where = path.relative_to(ROOT)
        if module not in ALLOWED:
            yield f"{where}: unknown module '{module}'"
            continue
        library = module != "cli" and str(path.relative_to(SRC)) not in FOR_PROGRAMS
        for number, line in enumerate(path.read_text().splitlines(), 1):
            call = OF_PROGRAMS.search(line.split("//")[0]) if library else None
            if call:
                yield f"{where}:{number}: {call.group(1) or call.group(2)} belongs to programs (src/cli), not to {module}"
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            if kind == '"':
                target = header.split("/")[0]
                if "/" not in header or not (SRC / header).exists():
                    yield f"{where}:{number}: \"{header}\" is not a file of src/; write the path from there"
                elif target != module and target not in ALLOWED[module]:
                    yield f"{where}:{number}: {module} must not include {target} ({header})"
                continue
            for prefix, folders in THIRD_PARTY.items():
                if header.startswith(prefix) and module not in folders:
                    yield f"{where}:{number}: <{header}> belongs to {', '.join(sorted(folders)) or 'no module'}, not to {module}"


def public_problems():
    """Of what is installed, and of programs over it: a header of the standard library has no ending and lies in no folder."""
    for path in sorted([*PUBLIC.rglob("*.h"), *EXAMPLES.rglob("*.cpp")]):
        where = path.relative_to(ROOT)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            if kind == "<" and (re.fullmatch(r"[a-z_]+", header) or (PUBLIC / header).is_file()):
                continue
            yield f"{where}:{number}: {header} is neither the standard library's nor a header of include/"


def main():
    found = list(problems()) + list(without_torch()) + list(public_problems())
    for line in found:
        print(line)
    if found:
        sys.exit(f"{len(found)} line(s) break the layers")
    print("layers: every include goes along an arrow; only programs print and set up the process")


main()
