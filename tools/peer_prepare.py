"""The `howard` recipe as one writes it in Python, for `cargo xtask bench prepare`.

peer_prepare.py DICOM_FOLDER --out FOLDER --processes N

pydicom, numpy, Pillow, and OpenCV where it is installed, else scipy. Reads every file, leaves out
slices with too little brain, and writes FOLDER/ID.jpg and FOLDER/timings.json.
"""

import argparse
import json
import resource
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

try:
    import cv2

    cv2.setNumThreads(1)
except ImportError:
    cv2 = None
    from scipy import ndimage

BLUR = np.exp(-((np.arange(77) - 38) ** 2) / (2 * 153.6**2)).astype(np.float32)
BLUR /= BLUR.sum()
STATE = {}


def hounsfield(path):
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.astype(np.float32)
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    if dataset.BitsStored == 12 and dataset.PixelRepresentation == 0 and intercept > -100:
        pixels += 1000
        pixels[pixels >= 4096] -= 4096
        intercept = -1000
    return pixels * slope + intercept


def window(hu, level, width):
    return np.clip((hu - (level - width / 2)) / width, 0, 1)


def box(hu):
    brain = window(hu, 40, 80)
    brain[brain == 1] = 0
    if cv2 is not None:
        mask = cv2.sepFilter2D(brain, -1, BLUR, BLUR, borderType=cv2.BORDER_REPLICATE) > 0.05
    else:
        brain = ndimage.correlate1d(brain, BLUR, axis=0, mode="nearest")
        mask = ndimage.correlate1d(brain, BLUR, axis=1, mode="nearest") > 0.05
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return 0, 0, max(hu.shape)
    side = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    return min(rows[0], hu.shape[0] - side), min(columns[0], hu.shape[1] - side), side


def crop(hu, top, left, side, size=256):
    part = hu[top : top + side, left : left + side]
    if cv2 is not None:
        return cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR)
    steps = (np.arange(size) + 0.5) * side / size - 0.5
    grid = np.meshgrid(steps, steps, indexing="ij")
    return ndimage.map_coordinates(part, grid, order=1, mode="nearest")


def prepare(path):
    hu = hounsfield(path)
    if np.mean((hu > 0) & (hu < 80)) < 0.02:
        return 0
    if hu.shape != (512, 512):
        hu = np.asarray(Image.fromarray(hu).resize((512, 512), Image.Resampling.BICUBIC))
    small = crop(hu, *box(hu))
    bins = STATE["bins"]
    scaled = np.interp(small, bins, STATE["steps"])
    channels = np.stack([window(small, 40, 80), window(small, 80, 200), scaled], axis=-1)
    image = Image.fromarray((channels * 255).astype(np.uint8))
    image.save(STATE["out"] / f"{path.stem}.jpg", quality=90)
    return 1


def start(bins, out):
    STATE.update(bins=bins, steps=np.linspace(0, 1, len(bins)), out=out)


def cpu_seconds():
    """Of this process and those that it started, all cores together."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, required=True)
    options = parser.parse_args()
    began, before = time.perf_counter(), cpu_seconds()
    files = sorted(options.folder.glob("*.dcm"))
    sample = files[:: max(1, len(files) // 64)][:64]
    values = np.sort(np.concatenate([hounsfield(path).ravel() for path in sample]))
    parts = np.concatenate([[0.001], (np.arange(100) + 0.5) / 100, [0.999]])
    bins = np.unique(values[(len(values) * parts).astype(np.int64)])
    with Pool(options.processes, start, (bins, options.out)) as pool:
        written = sum(pool.imap_unordered(prepare, files, chunksize=16))
        pool.close()
        # Only processes that ended are counted.
        pool.join()
    timings = {
        "files": len(files),
        "written": written,
        "total_s": time.perf_counter() - began,
        "cpu_s": cpu_seconds() - before,
        "with": "OpenCV" if cv2 is not None else "scipy",
    }
    (options.out / "timings.json").write_text(json.dumps(timings))


if __name__ == "__main__":
    main()
