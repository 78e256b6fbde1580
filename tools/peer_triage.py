"""The study triage that one writes in Python: pydicom, Pillow and ONNX Runtime.

    python tools/peer_triage.py FOLDER --model models/default.hemora --out OUT

Reads every DICOM file of FOLDER, groups them into series, sorts each by position, makes the input
that the bundle's recipe asks for, scores the slices in batches of eight, and writes
OUT/result.json and OUT/result.csv. OUT/timings.json has the seconds of each phase, as
`hemora triage --timings` has. `cargo xtask bench triage` runs it beside Hemora.
"""

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402
import csv  # noqa: E402
import json  # noqa: E402
import zipfile  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import pydicom  # noqa: E402
from PIL import Image  # noqa: E402

LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
BATCH = 8

# The competition's UIDs are of the form ID_…: no warning for each of them.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def find_recipe(value):
    """The input recipe, wherever it stands in model.json."""
    if isinstance(value, dict):
        if {"size", "channels", "mean", "std"} <= value.keys():
            return value
        value = list(value.values())
    if isinstance(value, list):
        return next(filter(None, map(find_recipe, value)), None)
    return None


def load(bundle, options=None):
    with zipfile.ZipFile(bundle) as archive:
        session = onnxruntime.InferenceSession(archive.read("members/0/model.onnx"), options)
        description = json.loads(archive.read("model.json"))
    if len(description["members"]) != 1:
        raise SystemExit(f"{bundle}: it has {len(description['members'])} members; expected one")
    recipe = find_recipe(description)
    if recipe is None:
        raise SystemExit(f"{bundle}: model.json has no input recipe")
    return session, recipe, temperatures(description.get("calibration"))


def temperatures(calibration):
    """What the log-odds of each label are divided by."""
    found = np.ones(len(LABELS))
    for row in (calibration or {}).get("labels", []):
        if row["calibrator"].keys() != {"temperature"}:
            raise SystemExit(f"the model is calibrated by {calibration['method']}; expected temperature")
        found[LABELS.index(row["label"])] = row["calibrator"]["temperature"]
    return found


def position(dataset):
    row, column = np.split(np.array(dataset.ImageOrientationPatient, dtype=float), 2)
    return float(np.cross(row, column) @ np.array(dataset.ImagePositionPatient, dtype=float))


def collect(folder):
    """The series by UID, each a list of data sets in the order of their position."""
    series = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            try:
                dataset = pydicom.dcmread(path)
            except pydicom.errors.InvalidDicomError:
                continue
            dataset.hu = dataset.pixel_array * np.float32(dataset.RescaleSlope) + np.float32(
                dataset.RescaleIntercept
            )
            series.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
    for slices in series.values():
        slices.sort(key=position)
    return series


def channel(hu, window, size):
    low = window["level"] - window["width"] / 2
    image = Image.fromarray(np.clip((hu - low) / window["width"], 0, 1).astype(np.float32))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def network_input(slices, index, recipe):
    planes, made = [], {}
    for number, wanted in enumerate(recipe["channels"]):
        neighbour = min(max(index + wanted.get("offset", 0), 0), len(slices) - 1)
        key = (neighbour, *sorted(wanted["window"].items()))
        if key not in made:
            made[key] = channel(slices[neighbour].hu, wanted["window"], recipe["size"])
        planes.append((made[key] - recipe["mean"][number]) / recipe["std"][number])
    return np.stack(planes).astype(np.float32)


def score(session, recipe, divisors, slices):
    """Probabilities [slices, 6]."""
    name, first = session.get_inputs()[0].name, session.get_outputs()[0].name
    outputs = []
    for start in range(0, len(slices), BATCH):
        chosen = range(start, min(start + BATCH, len(slices)))
        batch = np.stack([network_input(slices, index, recipe) for index in chosen])
        outputs.append(session.run([first], {name: batch})[0])
    raw = np.clip(np.concatenate(outputs).astype(np.float64), 1e-12, 1 - 1e-12)
    return 1 / (1 + np.exp(-np.log(raw / (1 - raw)) / divisors))


def write(out, scored):
    """Writes the rows [(SOPInstanceUID, probabilities)]."""
    rows = [
        {"sop_instance_uid": uid, "probabilities": dict(zip(LABELS, map(float, row)))}
        for uid, row in scored
    ]
    (out / "result.json").write_text(json.dumps({"slices": rows}, indent=1))
    with open(out / "result.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sop_instance_uid", *LABELS])
        for row in rows:
            writer.writerow([row["sop_instance_uid"], *row["probabilities"].values()])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    session, recipe, divisors = load(options.model)
    loaded = time.perf_counter()
    series = collect(options.folder)
    collected = time.perf_counter()
    scored = [(slices, score(session, recipe, divisors, slices)) for slices in series.values()]
    done = time.perf_counter()
    write(
        options.out,
        (
            (str(dataset.SOPInstanceUID), row)
            for slices, probabilities in scored
            for dataset, row in zip(slices, probabilities)
        ),
    )
    ended = time.perf_counter()
    timings = {
        "load_s": loaded - STARTED,
        "collect_s": collected - loaded,
        "score_s": done - collected,
        "report_s": ended - done,
        "total_s": ended - STARTED,
    }
    (options.out / "timings.json").write_text(json.dumps(timings))


if __name__ == "__main__":
    main()
