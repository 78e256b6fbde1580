"""An archive, as one triages it in Python: a process a core, each with pydicom, Pillow and ONNX Runtime.

    python tools/peer_archive.py triage ARCHIVE --model models/default.hemora --out OUT
    python tools/peer_archive.py repeat FOLDER ARCHIVE --times N

`triage` reads every folder of ARCHIVE that holds files as a study, scores its slices in batches of eight as
`peer_triage.py` does, with one thread, and writes OUT/result.json, result.csv and timings.json; it makes no report.
`repeat` makes an archive of N copies of the studies in FOLDER, each with UIDs of its own, a folder a study.
`cargo xtask bench archive` runs both.
"""

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
from pathlib import Path  # noqa: E402

import onnxruntime  # noqa: E402
import peer_triage  # noqa: E402
import pydicom  # noqa: E402

MODEL = None


def load(bundle):
    """Loads the model into this process, with a session of one thread."""
    global MODEL
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    MODEL = peer_triage.load(bundle, options)


def study(folder):
    """The rows of a study: [(SOPInstanceUID, probabilities)]."""
    rows = []
    for slices in peer_triage.collect(folder).values():
        for dataset, row in zip(slices, peer_triage.score(*MODEL, slices)):
            rows.append((str(dataset.SOPInstanceUID), row))
    return rows


def triage(options):
    options.out.mkdir(parents=True, exist_ok=True)
    folders = sorted({path.parent for path in options.archive.rglob("*") if path.is_file()})
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.Pool(cores, load, (options.model,)) as pool:
        pool.map(int, range(cores))
        loaded = time.perf_counter()
        rows = [row for rows in pool.imap(study, folders) for row in rows]
    done = time.perf_counter()
    peer_triage.write(options.out, rows)
    ended = time.perf_counter()
    timings = {
        "load_s": loaded - STARTED,
        "collect_s": 0.0,
        "score_s": done - loaded,
        "report_s": ended - done,
        "total_s": ended - STARTED,
    }
    (options.out / "timings.json").write_text(json.dumps(timings))


def repeat(options):
    uids = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
    for path in sorted(path for path in options.folder.rglob("*") if path.is_file()):
        try:
            dataset = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            continue
        names = [str(dataset[uid].value) for uid in uids]
        for copy in range(options.times):
            for uid, name in zip(uids, names):
                dataset[uid].value = pydicom.uid.generate_uid(entropy_srcs=[name, str(copy)])
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            folder = options.archive / str(dataset.StudyInstanceUID)
            folder.mkdir(parents=True, exist_ok=True)
            dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm")


def main():
    arguments = argparse.ArgumentParser()
    commands = arguments.add_subparsers(required=True)
    command = commands.add_parser("triage")
    command.add_argument("archive", type=Path)
    command.add_argument("--model", type=Path, required=True)
    command.add_argument("--out", type=Path, required=True)
    command.set_defaults(run=triage)
    command = commands.add_parser("repeat")
    command.add_argument("folder", type=Path)
    command.add_argument("archive", type=Path)
    command.add_argument("--times", type=int, required=True)
    command.set_defaults(run=repeat)
    options = arguments.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
