"""Brings back what trainings have made so far: a few files, each small enough to travel.

    python collect.py WORK OUT

OUT/logs.tar.gz has the logs and every run's tables; OUT/weights-N.tar the best weights of every run as
F16 (RUN.safetensors), large ones in pieces (RUN.safetensors.0 …, to be joined in order). At most seven
files of 15.5 MiB, together 60 MiB; what does not fit is named. A file is replaced as a whole. Of runs
whose names start with one of the words in WITHOUT_WEIGHTS only logs and tables come back.
"""

import io
import os
import sys
import tarfile
from pathlib import Path

import half

# Eight come back: one may be the part of a write that was cut.
MOST_FILES = 7
MOST_BYTES = 15 * 2**20 + 2**19
MOST_TOGETHER = 60 * 2**20
TABLES = ["metrics.jsonl", "validation.csv", "test.csv", "config.toml", "folds.json"]


def replace(path, data):
    """Writes under another name first, so that what is brought back never has half a file."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def archive(entries, kind):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=kind) as file:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tables(work):
    """Logs and tables of all runs."""
    for path in sorted((work / "logs").glob("*")):
        yield f"logs/{path.name}", path.read_bytes()
    for path in sorted((work / "runs").rglob("*")):
        if path.name in TABLES:
            yield str(path.relative_to(work)), path.read_bytes()


def weights(work):
    """The best weights so far of every run and fold, F16, kept beside the run until others are there."""
    runs = work / "runs"
    left_out = tuple(os.environ.get("WITHOUT_WEIGHTS", "").split())
    for config in sorted(runs.rglob("config.toml")):
        run = config.parent
        found = [run / "model.safetensors", run / "checkpoints" / "best.safetensors"]
        source = next((path for path in found if path.is_file()), None)
        if source is None:
            continue
        name = "-".join(run.relative_to(runs).parts)
        if left_out and name.startswith(left_out):
            continue
        narrow = work / "narrow" / f"{name}.safetensors"
        # The time of what was read: other weights may come while these are written.
        made = source.stat().st_mtime_ns
        if not narrow.exists() or narrow.stat().st_mtime_ns != made:
            narrow.parent.mkdir(exist_ok=True)
            half.narrow(source, narrow)
            os.utime(narrow, ns=(made, made))
        yield narrow


def pieces(paths):
    room = MOST_BYTES - 4096
    for path in paths:
        data = path.read_bytes()
        if len(data) <= room:
            yield path.name, data
            continue
        for number in range(0, len(data), room):
            yield f"{path.name}.{number // room}", data[number : number + room]


def bins(entries, most):
    """Entries in as few archives as first fit makes; those without a place."""
    filled, left = [], []
    for name, data in entries:
        together = sum(size for size, _ in filled)
        if together + len(data) + 1536 > most:
            left.append(name)
            continue
        at = next((it for it in filled if it[0] + len(data) + 1536 <= MOST_BYTES - 2048), None)
        if at is None and len(filled) == MOST_FILES - 1:
            left.append(name)
            continue
        if at is None:
            at = [0, []]
            filled.append(at)
        at[0] += len(data) + 1536
        at[1].append((name, data))
    return [entries for _, entries in filled], left


def main():
    work, out = Path(sys.argv[1]), Path(sys.argv[2])
    logs = archive(tables(work), "w:gz")
    if len(logs) > MOST_BYTES:
        logs = archive([entry for entry in tables(work) if len(entry[1]) < 2**20], "w:gz")
    replace(out / "logs.tar.gz", logs)
    filled, left = bins(pieces(weights(work)), MOST_TOGETHER - len(logs))
    for number, entries in enumerate(filled):
        path, data = out / f"weights-{number}.tar", archive(entries, "w")
        if not path.exists() or path.read_bytes() != data:
            replace(path, data)
    for number in range(len(filled), MOST_FILES):
        (out / f"weights-{number}.tar").unlink(missing_ok=True)
    names = [name for entries in filled for name, _ in entries]
    print(f"brought back: logs.tar.gz ({len(logs) >> 10} KiB), {', '.join(names) or 'no weights yet'}")
    if left:
        print(f"no room for {', '.join(left)}")


if __name__ == "__main__":
    main()
