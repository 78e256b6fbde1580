"""The seed study's preparation, written from docs/facts.md §2 with numpy and scipy.

howard.py FOLDER FILE... pools the frequency bins of all files and writes FOLDER/result.json with
the bins and, for each file, `in_window` and `box` (first and last row, first and last column of
the mask), and FOLDER/0.u8 and so on: 256 × 256 × 3 bytes, before JPEG.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pydicom
from scipy import ndimage


def hounsfield(path):
    """HU with the intercept repair (step 3)."""
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.astype(np.int64)
    slope = float(dataset.get("RescaleSlope", 1))
    intercept = float(dataset.get("RescaleIntercept", 0))
    bad = dataset.BitsStored == 12 and dataset.PixelRepresentation == 0 and intercept > -100
    as_stored = pixels * slope + intercept
    if bad:
        pixels = pixels + 1000
        pixels[pixels >= 4096] -= 4096
        intercept = -1000
    return as_stored, pixels * slope + intercept


def window(hu, level, width):
    return np.clip((hu - (level - width / 2)) / width, 0, 1)


def mask_box(hu):
    """Steps 7 and 8."""
    brain = window(hu, 40, 80)
    brain[brain == 1] = 0
    taps = np.arange(77) - 38
    kernel = np.exp(-(taps**2) / (2 * 153.6**2))
    kernel /= kernel.sum()
    blurred = ndimage.correlate1d(brain, kernel, axis=0, mode="nearest")
    blurred = ndimage.correlate1d(blurred, kernel, axis=1, mode="nearest")
    rows, columns = np.nonzero(blurred > 0.05)
    if len(rows) == 0:
        return 0, hu.shape[0] - 1, 0, hu.shape[1] - 1
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def crop(hu, box, size=256):
    """Steps 8 and 9."""
    top, bottom, left, right = box
    side = max(bottom - top, right - left) + 1
    top, left = min(top, hu.shape[0] - side), min(left, hu.shape[1] - side)
    steps = (np.arange(size) + 0.5) * side / size - 0.5
    grid = np.meshgrid(top + steps, left + steps, indexing="ij")
    return ndimage.map_coordinates(hu, grid, order=1, mode="nearest")


def frequency_bins(images):
    """Step 10."""
    values = np.sort(np.concatenate([image.ravel() for image in images]))
    parts = np.concatenate([[0.001], (np.arange(100) + 0.5) / 100, [0.999]])
    return np.unique(values[(len(values) * parts).astype(np.int64)])


def main():
    folder = Path(sys.argv[1])
    images = [hounsfield(path) for path in sys.argv[2:]]
    bins = frequency_bins([hu for _, hu in images])
    results = []
    for index, (as_stored, hu) in enumerate(images):
        in_window = float(np.mean((as_stored > 0) & (as_stored < 80)))
        if hu.shape != (512, 512):
            zoom = (512 / hu.shape[0], 512 / hu.shape[1])
            hu = ndimage.zoom(hu.astype(np.int32), zoom).astype(np.float64)
        box = mask_box(hu)
        small = crop(hu, box)
        scaled = np.interp(small, bins, np.linspace(0, 1, len(bins)))
        channels = [window(small, 40, 80), window(small, 80, 200), scaled]
        pixels = (np.stack(channels, axis=-1) * 255).astype(np.uint8)
        (folder / f"{index}.u8").write_bytes(pixels.tobytes())
        results.append({"in_window": in_window, "box": box})
    result = {"bins": bins.tolist(), "slices": results}
    (folder / "result.json").write_text(json.dumps(result))


main()
