#!/usr/bin/env python3
"""Prints what tools/recipe.sh wrote: of each part the accuracy of the whole network and of each of its heads, the whole against the best head, and
the calibration error.

    tools/recipe_table.py OUT [OUT ...]
    tools/recipe_table.py OUT --keep KEPT    also keeps the answers in KEPT, a file for each seed and part, with
                                             those that are there; KEPT is read as OUT is

A cell is the mean of the seeds. The best head is the one with the highest mean over the seeds, found on the same clips, which favours it. The
calibration error is that of 15 bins over all folds and seeds of a part together; the confidence beside it is the mean probability of the answers,
which a calibrated network is right as often as."""
import collections
import csv
import pathlib
import statistics
import sys

PARTS = ["set1", "set2", "cross", "tennis_dev", "tennis"]
HEADS = ["", "rgb", "motion", "ttn"]
Clip = collections.namedtuple("Clip", "fold head path label scores seconds")


def clips_of_fold(folder):
    seconds = (folder / "seconds").read_text().strip()
    for head in HEADS:
        path = folder / (f"scores_{head}.csv" if head else "scores.csv")
        if not path.exists():
            continue
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            classes = next(rows)[3:]
            for row in rows:
                name = "/".join(pathlib.PurePath(row[0]).parts[-2:])
                yield Clip(folder.name[5:], head, name, classes.index(row[1]), [float(value) for value in row[3:]], seconds)


def read(out):
    """Clips by part and seed."""
    found = collections.defaultdict(dict)
    for part in PARTS:
        for path in sorted(out.glob(f"s*_{part}.csv")):
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))[1:]
            seed = path.name[1:-len(part) - 5]
            found[part][seed] = [Clip(*row[:3], int(row[3]), [float(value) for value in row[5:]], row[4]) for row in rows]
        for done in sorted(out.glob(f"s*/{part}/fold_*/done")):
            found[part].setdefault(done.parts[-4][1:], []).extend(clips_of_fold(done.parent))
    return found


def keep(found, folder):
    """Adds to what is kept there; a fold that is in both is the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    before = read(folder)
    for part, seeds in found.items():
        for seed, clips in seeds.items():
            new = {clip.fold for clip in clips}
            clips = [clip for clip in before.get(part, {}).get(seed, []) if clip.fold not in new] + clips
            with open(folder / f"s{seed}_{part}.csv", "w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(["fold", "head", "clip", "label", "seconds", "scores"])
                for clip in clips:
                    rows.writerow([clip.fold, clip.head, clip.path, clip.label, clip.seconds, *(f"{value:.5f}" for value in clip.scores)])


def best_of(scores):
    return max(range(len(scores)), key=scores.__getitem__)


def top1(clips):
    return 100 * sum(best_of(clip.scores) == clip.label for clip in clips) / len(clips)


def confidence(clips):
    return 100 * statistics.mean(max(clip.scores) for clip in clips)


def calibration_error(clips, bins=15):
    sums = [[0.0, 0.0] for _ in range(bins)]
    for clip in clips:
        best = best_of(clip.scores)
        entry = sums[min(bins - 1, int(clip.scores[best] * bins))]
        entry[0] += clip.scores[best]
        entry[1] += best == clip.label
    return 100 * sum(abs(sure - right) for sure, right in sums) / len(clips)


def print_table(out, found):
    print(f"{out}\n\n| part | clips | whole | frames | motion | TTN | above the best head | calibration error | confidence | seconds a fold |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    margins = []
    for part in PARTS:
        if part not in found:
            continue
        seeds = found[part].values()
        of_head = {head: [[clip for clip in clips if clip.head == head] for clips in seeds] for head in HEADS}
        means = {head: statistics.mean(map(top1, groups)) for head, groups in of_head.items() if all(groups)}
        margins.append(means[""] - max((value for head, value in means.items() if head), default=float("nan")))
        whole = [clip for clips in of_head[""] for clip in clips]
        seconds = statistics.median(float(clip.seconds) for clip in whole)
        cells = " | ".join(f"{means[head]:.1f}" if head in means else "" for head in HEADS)
        print(f"| {part} | {len(whole) // len(seeds)} x {len(seeds)} | {cells} | {margins[-1]:+.1f} | {calibration_error(whole):.1f} | {confidence(whole):.1f} | {seconds:.0f} |")
    if margins:
        print(f"\nMean above the best head: {statistics.mean(margins):+.1f} points.\n")


def main(words):
    kept = words[words.index("--keep") + 1] if "--keep" in words else None
    outs = words[:words.index("--keep")] if kept else words
    for out in map(pathlib.Path, outs):
        found = read(out)
        print_table(out, found)
        if kept:
            keep(found, pathlib.Path(kept))


if len(sys.argv) < 2:
    sys.exit(__doc__)
main(sys.argv[1:])
