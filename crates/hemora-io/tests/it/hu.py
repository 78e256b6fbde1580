"""Writes HU as pydicom computes them: hu.py FOLDER FILE... gives 0.f64 or 0.error, and so on."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut

warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
for index, path in enumerate(sys.argv[2:]):
    try:
        dataset = pydicom.dcmread(path)
        # The rescale of an enhanced object stands in its functional groups.
        shared = dataset.get("SharedFunctionalGroupsSequence")
        rescale = shared[0].PixelValueTransformationSequence[0] if shared else dataset
        hu = apply_modality_lut(dataset.pixel_array, rescale)
        (folder / f"{index}.f64").write_bytes(np.asarray(hu, dtype="<f8").tobytes())
    except Exception as error:
        (folder / f"{index}.error").write_text(f"{type(error).__name__}: {error}")
