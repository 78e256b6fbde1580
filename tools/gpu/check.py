"""Packs, unpacks and collects a small made-up set, and checks what comes out. `cargo test -p xtask` runs it.

    python check.py FOLDER
"""

import csv
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import half
import numpy
from PIL import Image

HERE = Path(__file__).parent
LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]


def run(script, *arguments):
    command = [sys.executable, "-B", HERE / script, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def gathered(folder):
    """Six slices as `hemora-train gather` writes them: one of PHE-SICH bleeds, three do not."""
    for name in ["images", "annotations"]:
        (folder / name).mkdir(parents=True)
    cells = {"phe1": ",1,,,,1", "phe2": "0,0,0,0,0,0", "phe3": "0,0,0,0,0,0", "phe4": "0,0,0,0,0,0"}
    cells |= {"png1": "0,0,0,0,1,1", "png2": "0,0,0,0,0,0"}
    ramp = numpy.tile(numpy.arange(320) * 255 // 319, (320, 1)).astype(numpy.uint8)
    tables = {"labels": ["ID," + ",".join(LABELS)], "patients": ["ID,group"], "sets": ["ID,set,weight,z"]}
    for id, labels in cells.items():
        Image.fromarray(ramp).save(folder / "images" / f"{id}.png")
        tables["labels"].append(f"{id},{labels}")
        tables["patients"].append(f'{id},"a, {id}"')
        tables["sets"].append(f"{id},{'phe-sich' if id < 'png' else 'rsna-png'},1,")
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    marks = numpy.zeros((320, 320, 3), numpy.uint8)
    marks[:, 160:, 1] = 63
    Image.fromarray(marks).save(folder / "annotations" / "phe1.png")
    (folder / "gather.json").write_text("{}")
    return ramp


def ids(path):
    with open(path, newline="") as file:
        return [row["ID"] for row in csv.DictReader(file)]


def check_kit(folder):
    ramp = gathered(folder / "all")
    (folder / "program").write_bytes(b"#!/bin/sh\n" * 1000)
    large = numpy.linspace(-2, 2, 4096, dtype=numpy.float32).reshape(64, 64)
    tensors = {"kernel": large, "variance": numpy.full(3, 1e-9, numpy.float32)}
    half.write(folder / "w.safetensors", {"note": "kept"}, tensors)
    kit, work = folder / "kit", folder / "work"
    kit.mkdir()
    options = ["--data", folder / "all", "--program", folder / "program", "--out", kit]
    notes = json.loads(
        run("pack.py", *options, "--weights", folder / "w.safetensors", "--limit", 1 << 24)
    )
    assert notes["pictures"] == 5 and notes["annotations"] == 1 and notes["quality"] == 88, notes

    run("unpack.py", kit, work)
    expected = ["phe1", "phe2", "phe4", "png1", "png2"]
    assert sorted(path.stem for path in (work / "data/images").iterdir()) == expected
    for name in ["labels.csv", "patients.csv", "sets.csv"]:
        assert ids(work / "data" / name) == expected, name
        kept = (work / "data" / name).read_text().splitlines()
        assert set(kept) <= set((folder / "all" / name).read_text().splitlines()), name
    complete = (work / "data/complete.csv").read_text().splitlines()
    assert len(complete) == 1 + 4 * 6 and "png1_subdural,1" in complete
    picture = Image.open(work / "data/images/png1.png")
    assert (picture.mode, picture.size) == ("L", (288, 288))
    wanted = Image.fromarray(ramp).resize((288, 288), Image.Resampling.BILINEAR)
    error = abs(numpy.asarray(picture).astype(int) - numpy.asarray(wanted)).max()
    assert error <= 4, error
    marks = numpy.asarray(Image.open(work / "data/annotations/phe1.png"))
    assert marks.shape == (288, 288, 3) and set(numpy.unique(marks)) == {0, 63}
    assert (marks[:, 144:, 1] == 63).all() and not marks[:, :144].any()
    metadata, back = half.read(work / "weights/w.safetensors")
    assert metadata == {"note": "kept"} and back["kernel"].dtype == numpy.float32
    assert abs(back["kernel"] - large).max() < 2e-3
    assert (back["variance"] == tensors["variance"]).all()
    program = work / "bin/hemora-train"
    assert program.read_bytes() == (folder / "program").read_bytes() and program.stat().st_mode & 0o100


def check_collection(folder):
    """A small network comes back whole, a large one in pieces; what went away goes."""
    work, out = folder / "work", folder / "out"
    out.mkdir()
    for name, size in [("large/fold-1", 3000), ("small", 10)]:
        run_folder = work / "runs" / name
        (run_folder / "checkpoints").mkdir(parents=True)
        (run_folder / "config.toml").write_text("seed = 0\n")
        (run_folder / "metrics.jsonl").write_text("{}\n")
        noise = numpy.random.default_rng(0).normal(size=(size, size)).astype(numpy.float32)
        half.write(run_folder / "checkpoints/best.safetensors", {}, {"kernel": noise})
    (out / "weights-5.tar").write_text("of an earlier run")
    run("collect.py", work, out)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["logs.tar.gz", "weights-0.tar", "weights-1.tar"], names
    assert all(path.stat().st_size <= 16 * 2**20 for path in out.iterdir())
    pieces = {}
    for path in sorted(out.glob("weights-*.tar")):
        with tarfile.open(path) as file:
            pieces |= {entry.name: file.extractfile(entry).read() for entry in file}
    assert "small.safetensors" in pieces, list(pieces)
    joined = b"".join(pieces[f"large-fold-1.safetensors.{number}"] for number in range(2))
    assert joined == (work / "narrow/large-fold-1.safetensors").read_bytes()
    with tarfile.open(out / "logs.tar.gz") as file:
        assert "runs/large/fold-1/metrics.jsonl" in file.getnames()


if __name__ == "__main__":
    check_kit(Path(sys.argv[1]))
    check_collection(Path(sys.argv[1]))
