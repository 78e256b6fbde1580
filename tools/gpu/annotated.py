"""Two splits that together hold out every annotated patient once, and a folder that shows masks more often.

    python annotated.py GATHERED SPLITS OUT

GATHERED is a folder of `hemora-train gather`, SPLITS what splits.py wrote of it. OUT/A.csv holds out fold 1 of the
five and half of the patients with masks, OUT/B.csv fold 2 and the other half; of PHE-SICH every second slice with a
bleed and every third without is taken. OUT/images, OUT/annotations, OUT/labels.csv, OUT/patients.csv and
OUT/sets.csv are GATHERED's with three copies of each slice that has a mask, which the splits train on as well.
"""

import collections
import csv
import os
import sys
from pathlib import Path

COPIES = 3


def column(path, name):
    with open(path, newline="") as file:
        return {row["ID"]: row[name] for row in csv.DictReader(file)}


def sides(fold, groups, masked):
    """Which half holds out each patient with masks: by their folds, those of the fifth in turn."""
    lowest = {}
    for id, group in groups.items():
        lowest[group] = min(lowest.get(group, 9), fold[id])
    side, left = {}, 0
    for group in sorted({groups[id] for id in masked}):
        side[group] = {1: "A", 3: "A", 2: "B", 4: "B"}.get(lowest[group])
        if side[group] is None:
            side[group], left = "AB"[left % 2], left + 1
    return side


def main():
    data, splits, out = map(Path, sys.argv[1:4])
    fold = {}
    for number in range(1, 6):
        parts = column(splits / f"all-{number}.csv", "split")
        fold.update({id: number for id, part in parts.items() if part == "validation"})
    sets, groups = column(data / "sets.csv", "set"), column(data / "patients.csv", "group")
    any_of = column(data / "labels.csv", "any")
    annotated = {path.stem for path in (data / "annotations").iterdir()}
    masked = [id for id in sorted(annotated) if sets[id] != "phe-sich"]
    side = sides(fold, groups, masked)
    shown = [id for id in masked if any_of[id] != "0"]

    kept, seen = [], collections.Counter()
    for id in sorted(fold):
        bleeds = any_of[id] == "1"
        if sets[id] == "phe-sich":
            seen[groups[id], bleeds] += 1
            if seen[groups[id], bleeds] % (2 if bleeds else 3):
                continue
        kept.append(id)

    out.mkdir(parents=True)
    for half, number in (("A", 1), ("B", 2)):
        with open(out / f"{half}.csv", "w") as file:
            file.write("ID,split\n")
            for id in kept:
                own = side.get(groups[id])
                held_out = fold[id] == number if own is None else own == half
                file.write(f"{id},{'validation' if held_out else 'train'}\n")
                if id in shown and not held_out:
                    file.writelines(f"{id}.copy{copy},train\n" for copy in range(COPIES))
    for folder in ("images", "annotations"):
        (out / folder).mkdir()
        for path in (data / folder).iterdir():
            os.link(path, out / folder / path.name)
            if path.stem in shown:
                for copy in range(COPIES):
                    os.link(path, out / folder / f"{path.stem}.copy{copy}.png")
    for table in ("labels.csv", "patients.csv", "sets.csv"):
        lines = (data / table).read_text().splitlines()
        with open(out / table, "w") as file:
            for line in lines:
                id, rest = line.split(",", 1)
                copies = [f"{id}.copy{copy},{rest}" for copy in range(COPIES) if id in shown]
                file.writelines(f"{row}\n" for row in [line, *copies])


if __name__ == "__main__":
    main()
