#!/usr/bin/env python3
"""Prints what tools/recipe.sh wrote: of each part the accuracy of the whole network and of each of its heads, the whole against the best head, and
the calibration error.

    tools/recipe_table.py OUT [OUT ...]

A cell is the mean of the seeds. The best head is the one with the highest mean over the seeds, found on the same clips, which favours it. The
calibration error is that of 15 bins over all folds and seeds of a part together."""
import csv
import pathlib
import statistics
import sys

PARTS = ["set1", "set2", "cross", "tennis_dev", "tennis"]
HEADS = ["", "rgb", "motion", "ttn"]


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        classes = next(rows)[3:]
        return [(classes.index(row[1]), [float(value) for value in row[3:]]) for row in rows]


def top1(clips):
    return 100 * sum(max(range(len(scores)), key=scores.__getitem__) == label for label, scores in clips) / len(clips)


def calibration_error(clips, bins=15):
    sums = [[0, 0.0, 0.0] for _ in range(bins)]
    for label, scores in clips:
        best = max(range(len(scores)), key=scores.__getitem__)
        entry = sums[min(bins - 1, int(scores[best] * bins))]
        entry[0] += 1
        entry[1] += scores[best]
        entry[2] += best == label
    return 100 * sum(abs(confidence - right) for _, confidence, right in sums) / len(clips)


def main(outs):
    for out in map(pathlib.Path, outs):
        print(f"{out}\n\n| part | clips | whole | frames | motion | TTN | above the best head | calibration error | seconds a fold |")
        print("|---|---|---|---|---|---|---|---|---|")
        margins = []
        for part in PARTS:
            seeds = {}
            seconds = []
            for done in sorted(out.glob(f"s*/{part}/fold_*/done")):
                folder = done.parent
                of_seed = seeds.setdefault(folder.parts[-3], {head: [] for head in HEADS})
                seconds.append(float((folder / "seconds").read_text()))
                for head in HEADS:
                    path = folder / (f"scores_{head}.csv" if head else "scores.csv")
                    if path.exists():
                        of_seed[head] += read(path)
            if not seeds:
                continue
            means = {head: statistics.mean(top1(of_seed[head]) for of_seed in seeds.values() if of_seed[head]) for head in HEADS
                     if any(of_seed[head] for of_seed in seeds.values())}
            best = max((value for head, value in means.items() if head), default=float("nan"))
            margins.append(means[""] - best)
            whole = [clip for of_seed in seeds.values() for clip in of_seed[""]]
            cells = [f"{means[head]:.1f}" if head in means else "" for head in HEADS]
            print(f"| {part} | {len(whole) // len(seeds)} x {len(seeds)} | {' | '.join(cells)} | {margins[-1]:+.1f} | {calibration_error(whole):.1f} "
                  f"| {statistics.median(seconds):.0f} |")
        if margins:
            print(f"\nMean above the best head: {statistics.mean(margins):+.1f} points.\n")


if len(sys.argv) < 2:
    sys.exit(__doc__)
main(sys.argv[1:])
