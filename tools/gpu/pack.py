"""Packs a gathered folder, a program and weights into the folder that travels to a GPU machine.

    python pack.py --data GATHERED --program FILE --out KIT [--weights FILE]... [--limit BYTES]

Pictures become WebP of at most --side pixels in pictures.zip (stored, not compressed twice), annotations
PNG in annotations.zip, weights F16, the program .xz. The quality is the highest of a few that fits the
limit. `unpack.py` makes of it what `hemora-train gather` wrote. Needs Pillow with WebP (PNG without) and
numpy.
"""

import argparse
import csv
import io
import json
import lzma
import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import half
from PIL import Image, features

LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
# From 92 down; below 60 the noise that a network could learn from is gone.
QUALITIES = [88, 84, 80, 75, 70, 65, 60]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def small(path, side, filter):
    image = Image.open(path)
    image.load()
    return image.resize((side, side), filter) if max(image.size) > side else image


def encode(quality, side, path):
    """A picture as WebP, or as PNG without a quality."""
    image, out = small(path, side, Image.Resampling.BILINEAR), io.BytesIO()
    if image.mode != "L":
        raise ValueError(f"{path}: {image.mode} pixels; expected 8-bit grey")
    if quality is None:
        image.save(out, "PNG", optimize=True)
    else:
        image.convert("RGB").save(out, "WEBP", quality=quality, method=6)
    return out.getvalue()


def annotation(side, path):
    out = io.BytesIO()
    small(path, side, Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    return out.getvalue()


def kept(data, negatives):
    """Ids that travel: of the slices of PHE-SICH that do not bleed every N-th."""
    sets = {row["ID"]: row["set"] for row in rows(data / "sets.csv")}
    chosen, number = [], 0
    for row in rows(data / "labels.csv"):
        if sets[row["ID"]] == "phe-sich" and row["any"] == "0":
            number += 1
            if (number - 1) % negatives:
                continue
        chosen.append(row["ID"])
    return chosen


def write_table(source, target, ids):
    with open(source, newline="") as file, open(target, "w", newline="") as out:
        reader, writer = csv.reader(file), csv.writer(out, lineterminator="\n")
        writer.writerow(next(reader))
        writer.writerows(row for row in reader if row[0] in ids)


def write_zip(path, names, blocks):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, block in zip(names, blocks, strict=True):
            # No time of its own: the same inputs give the same bytes.
            archive.writestr(zipfile.ZipInfo(name), block)


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_pictures(options, ids, pool):
    """Writes pictures.zip with the best quality that fits; returns it."""
    paths = [options.data / "images" / f"{id}.png" for id in ids]
    room = options.limit - size(options.out) - 130 * len(ids)
    qualities = [q for q in QUALITIES if q <= options.quality] if features.check("webp") else [None]
    for quality in qualities:
        job = partial(encode, quality, options.side)
        sample = paths[:: max(1, len(paths) // 200)]
        expected = sum(map(len, pool.map(job, sample, chunksize=16))) / len(sample) * len(paths)
        # A sample errs by a percent or two.
        if expected * 0.97 > room and quality != qualities[-1]:
            continue
        blocks = list(pool.map(job, paths, chunksize=32))
        total = sum(map(len, blocks))
        if total <= room or quality == qualities[-1]:
            kind = "png" if quality is None else "webp"
            names = [f"{id}.{kind}" for id in ids]
            write_zip(options.out / "pictures.zip", names, blocks)
            return quality
    raise AssertionError("the last quality is always written")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--program", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--weights", type=Path, action="append", default=[])
    arguments.add_argument("--side", type=int, default=288)
    arguments.add_argument("--quality", type=int, default=88)
    arguments.add_argument("--phe-negatives", type=int, default=2)
    arguments.add_argument("--limit", type=int, required=True)
    options = arguments.parse_args()

    chosen = kept(options.data, options.phe_negatives)
    ids = set(chosen)
    if not ids:
        sys.exit(f"{options.data}: labels.csv names no slice; make it with `hemora-train gather`")
    for name in ["labels.csv", "patients.csv", "sets.csv"]:
        write_table(options.data / name, options.out / name, ids)
    (options.out / "gather.json").write_bytes((options.data / "gather.json").read_bytes())
    (options.out / "weights").mkdir()
    for path in options.weights:
        half.narrow(path, options.out / "weights" / path.name)
    program = lzma.compress(options.program.read_bytes(), preset=9)
    (options.out / "hemora-train.xz").write_bytes(program)
    with ProcessPoolExecutor() as pool:
        annotated = [id for id in chosen if (options.data / "annotations" / f"{id}.png").is_file()]
        paths = [options.data / "annotations" / f"{id}.png" for id in annotated]
        blocks = pool.map(partial(annotation, options.side), paths, chunksize=32)
        write_zip(options.out / "annotations.zip", [f"{id}.png" for id in annotated], blocks)
        quality = write_pictures(options, chosen, pool)
    notes = {
        "pictures": len(chosen),
        "annotations": len(annotated),
        "side": options.side,
        "quality": quality,
        "phe_negatives": options.phe_negatives,
    }
    (options.out / "kit.json").write_text(json.dumps(notes, indent=2) + "\n")
    print(json.dumps(notes))


if __name__ == "__main__":
    main()
