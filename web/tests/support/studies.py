"""Makes the studies that the browser tests look at, of phantoms that `hemora synth` wrote.

usage: studies.py PHANTOMS OUT [--only NAME ...]

PHANTOMS is the folder that `hemora synth` filled; each study becomes OUT/NAME/*.dcm. Prints a JSON object: for each
study its StudyInstanceUID, its number of images, and for those with a marker where it is in the patient.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pydicom

warnings.simplefilter("ignore")

ROOT = "1.2.826.0.1.3680043.10.1999"

#: HU of the marker: brighter than any bone of the phantoms, above the white of the bone window.
MARKER_HU = 3000

#: Pixels of the marker's square, and where it stands in a slice of 128 (row, column): anterior and left.
MARKER = 8
MARKER_AT = (20, 100)


def phantoms(folder):
    """The studies of phantoms, each with its slices from the feet to the head, by StudyInstanceUID."""
    studies = {}
    for path in sorted(folder.glob("stage_2_train/*.dcm")):
        image = pydicom.dcmread(path)
        studies.setdefault(str(image.StudyInstanceUID), []).append(image)
    for slices in studies.values():
        slices.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    return [studies[uid] for uid in sorted(studies)]


class Study:
    """A study that is being made: copies of slices, with a patient and UIDs of its own."""

    def __init__(self, name, number, slices, patient, description, accession="", birth="19500101", sex="F"):
        self.name, self.number = name, number
        self.uid = f"{ROOT}.{number}"
        self.slices = [pydicom.dcmread(pydicom.filebase.DicomBytesIO(encoded(image))) for image in slices]
        for index, image in enumerate(self.slices):
            image.StudyInstanceUID = self.uid
            image.SeriesInstanceUID = f"{self.uid}.1"
            image.SOPInstanceUID = f"{self.uid}.1.{index + 1}"
            image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
            image.FrameOfReferenceUID = f"{self.uid}.9"
            image.InstanceNumber = index + 1
            image.PatientName = patient
            image.PatientID = f"P{number:03}"
            image.PatientBirthDate = birth
            image.PatientSex = sex
            image.AccessionNumber = accession or f"ACC{number:04}"
            image.StudyDescription = description
            image.StudyDate = "20260105"
            image.StudyTime = "101500"

    def pixels(self, change):
        """Replaces the pixels of every slice by what `change` makes of them."""
        for image in self.slices:
            made = np.ascontiguousarray(change(image.pixel_array))
            image.Rows, image.Columns = made.shape
            image.PixelData = made.astype("<i2").tobytes()

    def mark(self):
        """Puts the marker into the upper half of the slices, at the patient's left and front."""
        (row, column), half = MARKER_AT, len(self.slices) // 2
        for image in self.slices[half:]:
            pixels = image.pixel_array.copy()
            stored = round((MARKER_HU - float(image.RescaleIntercept)) / float(image.RescaleSlope))
            pixels[row : row + MARKER, column : column + MARKER] = stored
            image.PixelData = pixels.astype("<i2").tobytes()

    def turn(self, rows, columns, transposed=False):
        """Stores the slices with their rows or columns in the other order, and says so in the geometry."""
        for image in self.slices:
            pixels = image.pixel_array
            along, down = np.array(image.ImageOrientationPatient, float).reshape(2, 3)
            corner = np.array(image.ImagePositionPatient, float)
            down_mm, along_mm = (float(value) for value in image.PixelSpacing)
            if columns:
                corner += along * along_mm * (pixels.shape[1] - 1)
                along, pixels = -along, pixels[:, ::-1]
            if rows:
                corner += down * down_mm * (pixels.shape[0] - 1)
                down, pixels = -down, pixels[::-1]
            if transposed:
                along, down, pixels = down, along, pixels.T
            image.ImageOrientationPatient = [number(value) for value in (*along, *down)]
            image.ImagePositionPatient = [number(value) for value in corner]
            image.PixelData = np.ascontiguousarray(pixels).astype("<i2").tobytes()

    def reverse(self):
        """Numbers the slices from the head to the feet."""
        for index, image in enumerate(reversed(self.slices)):
            image.InstanceNumber = index + 1

    def write(self, out):
        folder = out / self.name
        folder.mkdir(parents=True)
        for image in self.slices:
            image.save_as(folder / f"{int(image.InstanceNumber):05}.dcm")
        return {"uid": self.uid, "images": len(self.slices)}


def encoded(image):
    buffer = pydicom.filebase.DicomBytesIO()
    image.save_as(buffer)
    return buffer.getvalue()


def number(value):
    """A number of at most 16 characters, as DICOM has it."""
    return f"{value:.10f}"[:16]


def thin(study, count, spacing):
    """Makes `count` slices of a quarter of the pixels, `spacing` mm apart, of those that are there."""
    thick = [image.pixel_array[::2, ::2] for image in study.slices]
    model = study.slices[0]
    model.PixelSpacing = [2 * float(value) for value in model.PixelSpacing]
    model.Rows, model.Columns = thick[0].shape
    made, model_file = [], encoded(model)
    for index in range(count):
        image = pydicom.dcmread(pydicom.filebase.DicomBytesIO(model_file))
        at = index / (count - 1) * (len(thick) - 1)
        low = min(int(at), len(thick) - 2)
        share = at - low
        pixels = np.rint(thick[low] * (1 - share) + thick[low + 1] * share)
        image.PixelData = pixels.astype("<i2").tobytes()
        image.ImagePositionPatient = [*model.ImagePositionPatient[:2], number(index * spacing)]
        image.InstanceNumber = index + 1
        image.SOPInstanceUID = f"{study.uid}.1.{index + 1}"
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        made.append(image)
    study.slices = made


def studies(heads):
    """Every study. `heads` are those of `hemora synth --patients 4 --seed 3 --size 128 --slice-spacing 12`."""
    straight = [slices for slices in heads if float(slices[0].ImageOrientationPatient[5]) == 0]
    tilted = [slices for slices in heads if float(slices[0].ImageOrientationPatient[5]) != 0]
    if len(straight) < 2 or len(tilted) < 2:
        sys.exit("the phantoms are not those that this program was written for: two of four are tilted")
    for index, slices in enumerate(heads):
        yield Study(f"head{index}", index + 1, slices, f"Head{index}^Anna", "CT head without contrast")
    # In a name "=" would begin the ideographic form.
    html = "<script>hacked()</script>^<b>Bold</b>"
    study = Study("html", 11, heads[0], html, "<img src=x onerror=window.hacked=1>&amp;")
    for image in study.slices:
        image.SeriesDescription = "<svg onload=window.hacked=1>"
        image.PatientID = "<i>P11</i>"
    yield study
    yield Study("one", 12, heads[0][7:8], "Single^Slice", "CT head, one slice")
    study = Study("nowhere", 13, heads[0], "Nowhere^Nora", "CT head, no positions")
    for image in study.slices:
        del image.ImagePositionPatient, image.ImageOrientationPatient
    yield study
    study = Study("scout", 14, heads[1][:1], "Scout^Sam", "Localizer only")
    study.slices[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    yield study
    base = straight[0][3:11]
    for at, (name, position, rows, columns, transposed, reverse) in enumerate([
        ("side-plain", "HFS", False, False, False, False),
        ("side-reversed", "HFS", False, False, False, True),
        ("side-feet-first", "FFS", False, True, False, True),
        ("side-prone", "HFP", True, True, False, False),
        ("side-rows", "HFS", True, False, False, False),
        ("side-transposed", "HFS", False, False, True, False),
    ]):
        study = Study(name, 21 + at, base, f"Side^{name.removeprefix('side-')}", f"CT head, {name}")
        study.mark()
        study.turn(rows, columns, transposed)
        if reverse:
            study.reverse()
        for image in study.slices:
            image.PatientPosition = position
        yield study
    for at, (name, columns) in enumerate([("side-tilted", False), ("side-tilted-feet-first", True)]):
        study = Study(name, 31 + at, tilted[0][3:11], f"Side^{name.removeprefix('side-')}", f"CT head, {name}")
        study.mark()
        study.turn(False, columns)
        for image in study.slices:
            image.PatientPosition = "FFS" if columns else "HFS"
        yield study
    study = Study("late", 41, heads[1], "Late^Lena", "CT head, sent while the page is open")
    yield study
    study = Study("thin", 42, heads[0], "Thin^Theo", "CT head, 1,000 thin slices")
    thin(study, 1000, 0.6)
    yield study


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("phantoms", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--only", nargs="*")
    options = arguments.parse_args()
    made = {}
    for study in studies(phantoms(options.phantoms)):
        if not options.only or study.name in options.only:
            made[study.name] = study.write(options.out)
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
