"""Splits that hold out every annotated patient, for networks that are judged by where they point.

    python annotated.py GATHERED SPLITS OUT

GATHERED is a folder of `hemora-train gather`, SPLITS what splits.py wrote of it. OUT/1.csv to 5.csv hold out a
fold each. Patients with masks are few: 1.csv holds out half of them beside its fold, 2.csv the other half, so that
these two judge every mask once. OUT/base-1.csv to base-5.csv train on the RSNA pictures alone. OUT/final.csv holds
out what splits.py left for it. Of PHE-SICH every second slice with a bleed and every third without is taken.
"""

import collections
import sys
from pathlib import Path

from splits import column, write


def sides(fold, groups, masked):
    """Which of the first two folds holds out each patient with masks: by their folds, those of the fifth in turn."""
    lowest = {}
    for id, group in groups.items():
        lowest[group] = min(lowest.get(group, 9), fold[id])
    side, left = {}, 0
    for group in sorted({groups[id] for id in masked}):
        side[group] = {1: 1, 3: 1, 2: 2, 4: 2}.get(lowest[group])
        if side[group] is None:
            side[group], left = 1 + left % 2, left + 1
    return side


def main():
    data, splits, out = map(Path, sys.argv[1:4])
    fold = {}
    for number in range(1, 6):
        parts = column(splits / f"all-{number}.csv", "split")
        fold.update({id: number for id, part in parts.items() if part == "validation"})
    final = column(splits / "final.csv", "split")
    sets, groups = column(data / "sets.csv", "set"), column(data / "patients.csv", "group")
    any_of = column(data / "labels.csv", "any")
    annotated = {path.stem for path in (data / "annotations").iterdir()}
    side = sides(fold, groups, [id for id in sorted(annotated) if sets[id] != "phe-sich"])

    kept, seen = [], collections.Counter()
    for id in sorted(fold):
        bleeds = any_of[id] == "1"
        if sets[id] == "phe-sich":
            seen[groups[id], bleeds] += 1
            if seen[groups[id], bleeds] % (2 if bleeds else 3):
                continue
        kept.append(id)

    out.mkdir(parents=True, exist_ok=True)
    for number in range(1, 6):
        of = lambda id: side.get(groups[id], fold[id]) if number < 3 else fold[id]
        parts = [(id, "validation" if of(id) == number else "train") for id in kept]
        write(out / f"{number}.csv", parts)
        of_base = [(id, part) for id, part in parts if part != "train" or sets[id] == "rsna-png"]
        write(out / f"base-{number}.csv", of_base)
    write(out / "final.csv", [(id, final[id]) for id in kept])


if __name__ == "__main__":
    main()
