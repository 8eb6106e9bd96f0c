#!/usr/bin/env python3
"""Prints the tables of docs/results/ablations.md from what `actio reproduce` wrote for each seed.

    tools/ablations_table.py FOLDER

FOLDER/seedN/TABLE.json is the JSON that `actio reproduce TABLE --seeds N` leaves; docs/results/ablations is such a folder. A cell is the mean
of the seeds and, in brackets, the lowest and the highest. The last column is how far each row is above the first one of its table: the mean
over the seeds of the difference within a seed, its lowest and highest, and the paper's.
"""
import json
import pathlib
import statistics
import sys

TABLES = ["stfn-1", "stfn-2", "stfn-3", "stfn-4", "stfn-4.3", "if-ttn-1", "if-ttn-2", "if-ttn-3", "if-ttn-4"]


def spread(values, sign=""):
    text = f"{statistics.mean(values):{sign}.1f}"
    return text + (f" ({min(values):{sign}.1f} to {max(values):{sign}.1f})" if len(values) > 1 else "")


def top1(row):
    ours = row.get("ours")
    return 100 * ours["top1"] if isinstance(ours, dict) and "top1" in ours else None


def number(value):
    return value if isinstance(value, (int, float)) else None


def figure_text(value):
    return "-" if number(value) is None else str(value)


def paper_difference(row, first, columns):
    pairs = [(number(row["paper"].get(column)), number(first["paper"].get(column))) for column in columns]
    differences = ["-" if a is None or b is None else f"{a - b:+.1f}" for a, b in pairs]
    return "" if set(differences) == {"-"} else ", ".join(differences)


def print_table(name, runs):
    any_run = runs[0]
    columns = any_run["columns"]
    print(f"### {any_run['caption']}\n")
    print("| row | " + " | ".join(f"paper: {column}" for column in columns) + " | ours | seeds | above the first row: ours; paper |")
    print("|---" * (len(columns) + 4) + "|")
    by_label = [{row["label"]: row for row in run["rows"]} for run in runs]
    first_label = any_run["rows"][0]["label"]
    for index, row in enumerate(any_run["rows"]):
        found = [(top1(rows.get(row["label"], {})), top1(rows.get(first_label, {}))) for rows in by_label]
        found = [(ours, first) for ours, first in found if ours is not None]
        ours = spread([value for value, _ in found]) if found else "not run"
        gains = [value - first for value, first in found if first is not None]
        above = spread(gains, "+") if gains and index > 0 else ""
        paper = paper_difference(row, any_run["rows"][0], columns) if index > 0 else ""
        cells = [figure_text(row["paper"].get(column)) for column in columns]
        last = "; ".join(part for part in (above, paper) if part)
        print(f"| {row['label']} | " + " | ".join(cells) + f" | {ours} | {len(found)} | {last} |")
    print()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    if not list(folder.glob("seed*/*.json")):
        sys.exit(f"{folder}: holds no seedN/TABLE.json")
    for name in TABLES:
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(f"seed*/{name}.json"))]
        if runs:
            print_table(name, runs)


if __name__ == "__main__":
    main()
