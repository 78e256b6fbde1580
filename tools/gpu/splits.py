"""Five splits of a gathered folder by patient, and one with almost all slices to train on.

    python splits.py GATHERED OUT

OUT/all-N.csv holds out fold N of 5 and trains on the others, OUT/base-N.csv on the RSNA pictures among them,
OUT/final.csv holds out about 120 slices. Folds are alike in sets and rare labels. The same folder gives the
same splits.
"""

import collections
import csv
import random
import sys
from pathlib import Path

LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
FOLDS, HELD_OUT = 5, 120


def column(path, name):
    with open(path, newline="") as file:
        return {row["ID"]: row[name] for row in csv.DictReader(file)}


def groups(data, ids):
    """Lists of slices, each of one patient; a slice in several groups joins them."""
    parent = {}

    def find(item):
        while parent.setdefault(item, item) != item:
            item = parent[item]
        return item

    with open(data / "patients.csv", newline="") as file:
        for row in csv.DictReader(file):
            slice, group = find(("slice", row["ID"])), find(("group", row["group"]))
            parent[slice] = group
    found = collections.defaultdict(list)
    for id in ids:
        found[find(("slice", id))].append(id)
    return list(found.values())


def write(path, rows):
    with open(path, "w", newline="") as file:
        file.write("ID,split\n")
        file.writelines(f"{id},{part}\n" for id, part in rows)


def main():
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    with open(data / "labels.csv", newline="") as file:
        labels = {row["ID"]: row for row in csv.DictReader(file)}
    sets = column(data / "sets.csv", "set")
    patients = groups(data, labels)
    count = collections.Counter(
        label for row in labels.values() for label in LABELS if row[label] == "1"
    )
    strata = collections.defaultdict(list)
    for patient, ids in enumerate(patients):
        present = [label for label in LABELS if any(labels[id][label] == "1" for id in ids)]
        rarest = min(present, key=lambda label: count[label]) if present else "none"
        strata[sets[ids[0]], rarest].append(patient)
    chance, fold, load = random.Random(17), {}, [0] * FOLDS
    for name in sorted(strata):
        members = strata[name]
        chance.shuffle(members)
        members.sort(key=lambda patient: -len(patients[patient]))
        share = [0] * FOLDS
        for patient in members:
            place = min(range(FOLDS), key=lambda at: (share[at], load[at]))
            fold[patient] = place
            share[place] += len(patients[patient])
            load[place] += len(patients[patient])
    slices = [(id, fold[patient]) for patient, ids in enumerate(patients) for id in ids]
    for number in range(FOLDS):
        part = lambda at: "validation" if at == number else "train"
        write(out / f"all-{number + 1}.csv", [(id, part(at)) for id, at in slices])
        of_base = [(id, at) for id, at in slices if at == number or sets[id] == "rsna-png"]
        write(out / f"base-{number + 1}.csv", [(id, part(at)) for id, at in of_base])
    order, held_out, total = list(range(len(patients))), set(), 0
    chance.shuffle(order)
    for patient in order:
        if total < HELD_OUT:
            held_out.add(patient)
            total += len(patients[patient])
    final = [
        (id, "validation" if patient in held_out else "train")
        for patient, ids in enumerate(patients)
        for id in ids
    ]
    write(out / "final.csv", final)


if __name__ == "__main__":
    main()
