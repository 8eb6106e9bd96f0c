#!/usr/bin/env python3
"""Prints the table of docs/results/ut_interaction.md from what tools/ut_interaction.sh wrote.

    tools/ut_interaction_table.py OUT [SEED ...]

First with the centre view of each test clip, then with STFN's five.

A cell is the mean of the seeds, and in brackets the lowest and the highest seed where there are several. Fused rows add up the class scores of their
networks with equal weights, as `actio fuse` does. The interval is Wilson's for the mean on as many clips as the part has: seeds see the
same clips, so more of them do not narrow it. Differences draw clips (10,000 times), each with its answers of all seeds.
"""
import csv
import math
import pathlib
import random
import re
import statistics
import sys

ROWS = [
    ("TSN, frames", ["tsn_rgb"]),
    ("TSN, RGB difference", ["tsn_rgbdiff"]),
    ("TSN, motion vectors", ["tsn_mv"]),
    ("TSN, TV-L1 flow", ["tsn_flow"]),
    ("TSN, frames + RGB difference", ["tsn_rgb", "tsn_rgbdiff"]),
    ("TSN, frames + motion vectors", ["tsn_rgb", "tsn_mv"]),
    ("two-stream late fusion: TSN, frames + flow", ["tsn_rgb", "tsn_flow"]),
    ("STFN (a, average, bidirectional)", ["stfn"]),
    ("IF-TTN", ["if_ttn"]),
    ("MV-IF-TTN", ["mv_if_ttn"]),
    ("Full IF-TTN: IF-TTN + MV-IF-TTN", ["if_ttn", "mv_if_ttn"]),
]
PARTS = ["set1", "set2", "cross"]
NAMES = {"set1": "set 1", "set2": "set 2", "cross": "across the sets"}
LATE_FUSION = ["tsn_rgb", "tsn_flow"]
COMPARED = [["stfn"], ["if_ttn"], ["mv_if_ttn"], ["if_ttn", "mv_if_ttn"]]


def read_scores(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        classes = next(rows)[3:]
        return {row[0]: (row[1], [float(value) for value in row[3:]]) for row in rows}, classes


def answers(out, seed, part, networks, scores):
    """Path of each clip -> whether the summed scores name its class; None where a network was not trained."""
    paths = [out / f"s{seed}" / part / network / scores for network in networks]
    if not all(path.exists() for path in paths):
        return None
    files = [read_scores(path) for path in paths]
    classes = files[0][1]
    right = {}
    for clip, (label, _) in files[0][0].items():
        total = [sum(column) for column in zip(*(rows[clip][1] for rows, _ in files))]
        right[clip] = classes[total.index(max(total))] == label
    return right


def wilson(share, count):
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return 100 * (middle - half), 100 * (middle + half)


def cell(out, seeds, part, networks, scores):
    runs = [run for seed in seeds if (run := answers(out, seed, part, networks, scores))]
    if not runs:
        return " | "
    shares = [100 * sum(run.values()) / len(run) for run in runs]
    low, high = wilson(statistics.mean(shares) / 100, len(runs[0]))
    spread = f" ({min(shares):.1f} to {max(shares):.1f})" if len(runs) > 1 else ""
    return f"{statistics.mean(shares):.1f}{spread} | {low:.1f} to {high:.1f}"


def difference(out, seeds, parts, networks, scores):
    """Points that `networks` are above late fusion: mean of seeds and clips, 95 % interval."""
    gains = []
    for part in parts:
        pairs = [(answers(out, seed, part, networks, scores), answers(out, seed, part, LATE_FUSION, scores)) for seed in seeds]
        pairs = [(ours, theirs) for ours, theirs in pairs if ours and theirs]
        if not pairs:
            return ""
        for clip in pairs[0][0]:
            gains.append(100 * statistics.mean(ours[clip] - theirs[clip] for ours, theirs in pairs))
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(gains, k=len(gains))) for _ in range(10000))
    return f"{statistics.mean(gains):+.1f} ({means[250]:+.1f} to {means[9749]:+.1f})"


def seconds_of(out):
    with open(out / "times.csv", newline="", encoding="utf-8") as file:
        times = {}
        for row, part, _, seconds in csv.reader(file):
            times.setdefault((row, part), []).append(int(seconds))
        return times


def print_accuracies(out, seeds, scores):
    print("| row | " + " | ".join(f"{NAMES[part]} | 95 % interval" for part in PARTS) + " |")
    print("|---" * (1 + 2 * len(PARTS)) + "|")
    for title, networks in ROWS:
        print(f"| {title} | " + " | ".join(cell(out, seeds, part, networks, scores) for part in PARTS) + " |")
    print("\n| points above late fusion | both sets, 120 clips | across the sets |\n|---|---|---|")
    for networks in COMPARED:
        title = next(title for title, row in ROWS if row == networks)
        cells = [difference(out, seeds, parts, networks, scores) for parts in (["set1", "set2"], ["cross"])]
        print(f"| {title} | {cells[0]} | {cells[1]} |")


def waiting_of(out, seeds, network):
    """Share of the epochs' time spent waiting for data, from the logs."""
    seconds = waited = 0.0
    for seed in seeds:
        for log in out.glob(f"s{seed}/*/{network}.log"):
            for epoch in re.finditer(r"^epoch .* ([\d.]+) s, .* waiting (\d+) %$", log.read_text(encoding="utf-8"), re.MULTILINE):
                seconds += float(epoch[1])
                waited += float(epoch[1]) * int(epoch[2]) / 100
    return f"{100 * waited / seconds:.1f} %" if seconds else ""


def print_times(out, seeds):
    print("| seconds, median of the seeds | " + " | ".join(NAMES[part] for part in PARTS) + " | waiting for data |\n|---|---|---|---|---|")
    times = seconds_of(out)
    for title, networks in ROWS:
        if len(networks) == 1:
            cells = [f"{statistics.median(times[networks[0], part]):.0f}" if (networks[0], part) in times else "" for part in PARTS]
            print(f"| {title} | " + " | ".join(cells) + f" | {waiting_of(out, seeds, networks[0])} |")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    seeds = sys.argv[2:] or sorted(folder.name[1:] for folder in out.glob("s[0-9]*"))
    for title, scores in (("One view", "scores.csv"), ("STFN's five views", "scores_stfn.csv")):
        print(f"### {title}\n")
        print_accuracies(out, seeds, scores)
        print()
    print_times(out, seeds)


if __name__ == "__main__":
    main()
