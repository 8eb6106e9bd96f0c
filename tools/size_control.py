#!/usr/bin/env python3
"""How much the size and length of clips give away: 5 nearest neighbours on width, height and number of frames alone.

    tools/size_control.py LABELS.csv [column=value ...] --group COLUMN

Leaves out one group at a time, as the networks' tables do. Features are standardised on the clips to compare with; ties of the vote go to
the class of the nearest of them.
"""
import argparse
import collections
import csv
import statistics


def features(row):
    return [float(row[name]) for name in ("width", "height", "frames")]


def predict(train, clip):
    columns = list(zip(*(features(row) for row in train)))
    scales = [statistics.pstdev(column) or 1.0 for column in columns]

    def distance(row):
        return sum(((a - b) / s) ** 2 for a, b, s in zip(features(row), features(clip), scales))

    nearest = sorted(train, key=distance)[:5]
    votes = collections.Counter(row["label"] for row in nearest)
    most = max(votes.values())
    return next(row["label"] for row in nearest if votes[row["label"]] == most)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("filters", nargs="*", help="set=1")
    parser.add_argument("--group", required=True)
    arguments = parser.parse_args()
    with open(arguments.table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for text in arguments.filters:
        column, value = text.split("=", 1)
        rows = [row for row in rows if row[column] == value]
    right = 0
    for group in sorted({row[arguments.group] for row in rows}):
        train = [row for row in rows if row[arguments.group] != group]
        test = [row for row in rows if row[arguments.group] == group]
        right += sum(predict(train, clip) == clip["label"] for clip in test)
    print(f"{right} of {len(rows)} clips, {100 * right / len(rows):.1f} %")


if __name__ == "__main__":
    main()
