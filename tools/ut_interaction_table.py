#!/usr/bin/env python3
"""Prints the table of docs/results/ut_interaction.md from what tools/ut_interaction.sh wrote.

    tools/ut_interaction_table.py OUT [SEED ...]
    tools/ut_interaction_table.py OUT --keep FOLDER

The second keeps what the table needs of OUT in FOLDER, a file of scores for each seed and one of times, beside what is there already;
such a folder can be given as OUT (docs/results/ut_interaction is one).

First with the centre view of each test clip, then with STFN's five.

A cell is the mean of the seeds, and in brackets the lowest and the highest seed where there are several. Fused rows add up the class scores of their
networks with equal weights, as `actio fuse` does. The interval is Wilson's for the mean on as many clips as the part has: seeds see the
same clips, so more of them do not narrow it. Differences draw clips (10,000 times), each with its answers of all seeds; where few clips differ that
interval is too narrow, and p tells: the share of 10,000 random exchanges of the two models' answers, clip by clip, whose difference is as large (with
one seed, McNemar's test).
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
        return {"/".join(row[0].split("/")[-2:]): (row[1], [float(value) for value in row[3:]]) for row in rows}, classes


def read_runs(out):
    """(seed, part, network, file) -> scores and classes, from the folders of trainings."""
    tables = {}
    for scores in ("scores.csv", "scores_stfn.csv"):
        for path in out.glob(f"s[0-9]*/*/*/{scores}"):
            if (path.parent / "result.json").exists():
                seed, part, network, _ = path.relative_to(out).parts
                tables[seed[1:], part, network, scores] = read_scores(path)
    return tables


def read_kept(out):
    tables = {}
    for path in out.glob("seed[0-9]*.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            classes = next(rows)[5:]
            for part, network, views, clip, label, *values in rows:
                scores = "scores.csv" if views == "1" else "scores_stfn.csv"
                key = path.stem[4:], part, network, scores
                tables.setdefault(key, ({}, classes))[0][clip] = (label, [float(value) for value in values])
    return tables


def decimals(value):
    """Nine of them: two networks that are sure of different classes differ by less than a millionth."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def keep(out, tables, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for seed in sorted({key[0] for key in tables}):
        with open(folder / f"seed{seed}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            rows = sorted((key, table) for key, table in tables.items() if key[0] == seed)
            writer.writerow(["part", "network", "views", "clip", "label"] + rows[0][1][1])
            for (_, part, network, scores), (clips, _) in rows:
                for clip, (label, values) in sorted(clips.items()):
                    views = 1 if scores == "scores.csv" else 5
                    writer.writerow([part, network, views, clip, label] + [decimals(value) for value in values])
    times = times_of(folder)
    for run, (seconds, waited) in times_of(out).items():
        times[run] = (seconds, waited or times.get(run, ("", ""))[1])
    with open(folder / "times.csv", "w", newline="", encoding="utf-8") as file:
        for (row, part, seed), (seconds, waited) in sorted(times.items()):
            csv.writer(file, lineterminator="\n").writerow([row, part, seed, seconds, waited])


def answers(tables, seed, part, networks, scores):
    """Each clip -> whether the summed scores name its class; None where a network was not trained."""
    files = [tables.get((seed, part, network, scores)) for network in networks]
    if not all(files):
        return None
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


def cell(tables, seeds, part, networks, scores):
    runs = [run for seed in seeds if (run := answers(tables, seed, part, networks, scores))]
    if not runs:
        return " | "
    shares = [100 * sum(run.values()) / len(run) for run in runs]
    low, high = wilson(statistics.mean(shares) / 100, len(runs[0]))
    spread = f" ({min(shares):.1f} to {max(shares):.1f})" if len(runs) > 1 else ""
    return f"{statistics.mean(shares):.1f}{spread} | {low:.1f} to {high:.1f}"


def difference(tables, seeds, parts, networks, scores):
    """Points that `networks` are above late fusion: mean of seeds and clips, 95 % interval, p, clips that speak for either."""
    gains = []
    for part in parts:
        pairs = [(answers(tables, seed, part, networks, scores), answers(tables, seed, part, LATE_FUSION, scores)) for seed in seeds]
        pairs = [(ours, theirs) for ours, theirs in pairs if ours and theirs]
        if not pairs:
            return " | "
        for clip in sorted(pairs[0][0]):
            gains.append(100 * statistics.mean(ours[clip] - theirs[clip] for ours, theirs in pairs))
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(gains, k=len(gains))) for _ in range(10000))
    differing = [gain for gain in gains if gain]
    observed = abs(sum(differing))
    as_large = sum(abs(sum(gain if draw.random() < 0.5 else -gain for gain in differing)) >= observed - 1e-9 for _ in range(10000))
    votes = f"{sum(gain > 0 for gain in differing)} : {sum(gain < 0 for gain in differing)}"
    return f"{statistics.mean(gains):+.1f} ({means[250]:+.1f} to {means[9749]:+.1f}) | {as_large / 10000:.2f}, {votes}"


def waiting_of(out, network, part, seed):
    """Per cent of the epochs' time spent waiting for data, from the log."""
    seconds = waited = 0.0
    log = out / f"s{seed}" / part / f"{network}.log"
    if not log.exists():
        return ""
    for epoch in re.finditer(r"^epoch .* ([\d.]+) s, .* waiting (\d+) %$", log.read_text(encoding="utf-8"), re.MULTILINE):
        seconds += float(epoch[1])
        waited += float(epoch[1]) * int(epoch[2]) / 100
    return f"{100 * waited / seconds:.2f}" if seconds else ""


def times_of(out):
    """(network, part, seed) -> seconds and per cent of waiting."""
    times = {}
    if (out / "times.csv").exists():
        with open(out / "times.csv", newline="", encoding="utf-8") as file:
            for network, part, seed, seconds, *waited in csv.reader(file):
                times[network, part, seed] = (seconds, waited[0] if waited else waiting_of(out, network, part, seed))
    return times


def print_accuracies(tables, seeds, scores):
    print("| row | " + " | ".join(f"{NAMES[part]} | 95 % interval" for part in PARTS) + " |")
    print("|---" * (1 + 2 * len(PARTS)) + "|")
    for title, networks in ROWS:
        print(f"| {title} | " + " | ".join(cell(tables, seeds, part, networks, scores) for part in PARTS) + " |")
    print("\n| points above late fusion | both sets, 120 clips | p, clips for : against | across the sets | p, clips |\n|---|---|---|---|---|")
    for networks in COMPARED:
        title = next(title for title, row in ROWS if row == networks)
        cells = [difference(tables, seeds, parts, networks, scores) for parts in (["set1", "set2"], ["cross"])]
        print(f"| {title} | {cells[0]} | {cells[1]} |")


def print_times(times):
    print("| seconds, median of the seeds | " + " | ".join(NAMES[part] for part in PARTS) + " | waiting for data |\n|---|---|---|---|---|")
    for title, networks in ROWS:
        if len(networks) > 1:
            continue
        runs = [[time for (row, of, _), time in times.items() if row == networks[0] and of == part] for part in PARTS]
        cells = [f"{statistics.median(int(seconds) for seconds, _ in run):.0f}" if run else "" for run in runs]
        waits = [(float(waited), int(seconds)) for run in runs for seconds, waited in run if waited]
        share = sum(waited * seconds for waited, seconds in waits) / sum(seconds for _, seconds in waits) if waits else 0
        print(f"| {title} | " + " | ".join(cells) + " | " + (f"{share:.1f} %" if waits else "") + " |")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    if not out.is_dir():
        sys.exit(f"{out}: is no folder")
    tables = read_runs(out) or read_kept(out)
    if not tables:
        sys.exit(f"{out}: holds no scores")
    known = sorted({key[0] for key in tables})
    if sys.argv[2:3] == ["--keep"] and len(sys.argv) == 4:
        folder = pathlib.Path(sys.argv[3])
        keep(out, read_kept(folder) | tables, folder)
        return
    seeds = sys.argv[2:] or known
    if not set(seeds) <= set(known):
        sys.exit(f"{out}: has the seeds {', '.join(known)}, not {' '.join(seeds)}")
    for title, scores in (("One view", "scores.csv"), ("STFN's five views", "scores_stfn.csv")):
        print(f"### {title}\n")
        print_accuracies(tables, seeds, scores)
        print()
    print_times({run: time for run, time in times_of(out).items() if run[2] in seeds})


if __name__ == "__main__":
    main()
