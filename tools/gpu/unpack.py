"""Makes on the GPU machine what `hemora-train gather` wrote, from a kit of pack.py.

    python unpack.py KIT FOLDER [--images N]

FOLDER/data has images, annotations, labels.csv, patients.csv and sets.csv as gather writes them, and
complete.csv: the slices with all six labels in the competition's layout (`ID,Label`). FOLDER/weights has
F32 weights, FOLDER/bin/hemora-train the program. With --images only about N slices, evenly picked.
"""

import argparse
import csv
import io
import json
import lzma
import os
import shutil
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import half
from PIL import Image

LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]


def unpack(job):
    """Writes some entries of an archive as PNG; returns how many."""
    archive, names, folder, mode = job
    with zipfile.ZipFile(archive) as file:
        for name in names:
            target = folder / f"{Path(name).stem}.png"
            data = file.read(name)
            if name.endswith(".png"):
                target.write_bytes(data)
                continue
            with Image.open(io.BytesIO(data)) as image:
                image.convert(mode).save(target, "PNG", compress_level=1)
    return len(names)


def unpack_all(pool, archive, folder, wanted):
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as file:
        names = [name for name in file.namelist() if Path(name).stem in wanted]
    # Entries were checked when the kit was packed; a name with a folder would lie outside.
    assert all("/" not in name for name in names), f"{archive}: a name has a folder"
    jobs = [(archive, names[start::64], folder, "L") for start in range(64)]
    return sum(pool.map(unpack, jobs))


def write_complete(labels, target, wanted):
    count = 0
    with open(labels, newline="") as file, open(target, "w", newline="") as out:
        out.write("ID,Label\n")
        for row in csv.DictReader(file):
            if row["ID"] in wanted and all(row[label] for label in LABELS):
                out.writelines(f"{row['ID']}_{label},{row[label]}\n" for label in LABELS)
                count += 1
    return count


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("kit", type=Path)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--images", type=int, default=0)
    options = arguments.parse_args()
    data = options.folder / "data"
    data.mkdir(parents=True, exist_ok=True)

    notes = json.loads((options.kit / "kit.json").read_text())
    with open(options.kit / "labels.csv", newline="") as file:
        ids = [row["ID"] for row in csv.DictReader(file)]
    step = max(1, len(ids) // options.images) if options.images else 1
    wanted = set(ids[::step])
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        pictures = unpack_all(pool, options.kit / "pictures.zip", data / "images", wanted)
        marks = unpack_all(pool, options.kit / "annotations.zip", data / "annotations", wanted)
    if pictures != len(wanted) or (not options.images and marks != notes["annotations"]):
        raise SystemExit(f"{options.kit}: {pictures} pictures and {marks} annotations; see kit.json")
    for name in ["labels.csv", "patients.csv", "sets.csv"]:
        with open(options.kit / name) as file, open(data / name, "w") as out:
            out.write(next(file))
            out.writelines(line for line in file if line.split(",", 1)[0] in wanted)
    complete = write_complete(data / "labels.csv", data / "complete.csv", wanted)
    weights = options.folder / "weights"
    weights.mkdir(exist_ok=True)
    for path in sorted((options.kit / "weights").glob("*.safetensors")):
        half.widen(path, weights / path.name)
    program = options.folder / "bin" / "hemora-train"
    program.parent.mkdir(exist_ok=True)
    with lzma.open(options.kit / "hemora-train.xz") as source, open(program, "wb") as out:
        shutil.copyfileobj(source, out)
    program.chmod(0o755)
    print(f"{pictures} pictures ({complete} with all labels), {marks} annotations in {data}")


if __name__ == "__main__":
    main()
