"""Makes crates/hemora-io/tests/fixtures: one small image in the codings of DICOM's transfer syntaxes.

Needs imagecodecs 2026.3.6, numpy, pydicom 3 and dcmtk 3.6.7 (dcmcjpeg, dcmdjpeg):
    pip install imagecodecs==2026.3.6 numpy pydicom==3.0.2 && apt install dcmtk
    python tools/codec_fixtures.py

NAME.frame is one compressed frame. For lossy codings NAME.i16 is what the reference decoder makes of
it: libjpeg's 12-bit build (dcmtk), CharLS, OpenJPEG, libjxl. Lossless ones give `image()` again.
"""

import subprocess
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian

FOLDER = Path(__file__).parent.parent / "crates/hemora-io/tests/fixtures"
ROWS, COLUMNS = 21, 37


def image(middle):
    """The same as in the tests: a slope with texture, and both ends of 12 bits in its corners."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    values = middle + 20 * column - 15 * row + (7 * row * row + 13 * column) % 11 * 9
    values[0, 0], values[-1, -1] = middle - 1024, middle + 2047
    return values


def write(name, frame, decoded=None):
    (FOLDER / f"{name}.frame").write_bytes(bytes(frame))
    if decoded is not None:
        (FOLDER / f"{name}.i16").write_bytes(np.asarray(decoded).astype("<i2").tobytes())


def dcmtk(name, option):
    """A 12-bit JPEG frame, and what dcmtk decodes of it."""
    dataset = FileDataset(None, {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.SOPClassUID, dataset.SOPInstanceUID = pydicom.uid.CTImageStorage, "1.2.3"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelData = image(1024).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    with tempfile.TemporaryDirectory() as folder:
        source, coded, decoded = (f"{folder}/{stem}.dcm" for stem in ("source", "coded", "decoded"))
        dataset.save_as(source)
        subprocess.run(["dcmcjpeg", *option, "--bits-force-12", source, coded], check=True)
        subprocess.run(["dcmdjpeg", coded, decoded], check=True)
        frame = next(generate_frames(pydicom.dcmread(coded).PixelData, number_of_frames=1))
        write(name, frame, pydicom.dcmread(decoded).pixel_array)


FOLDER.mkdir(exist_ok=True)
dcmtk("jpeg-extended", ["+ee", "+q", "95"])
dcmtk("jpeg-spectral-selection", ["+es", "+q", "95"])
dcmtk("jpeg-full-progression", ["+ep", "+q", "95"])
unsigned, signed = image(1024).astype("u2"), image(0).astype("i2")
write("jpeg-ls", imagecodecs.jpegls_encode(unsigned))
near = imagecodecs.jpegls_encode(unsigned, level=2)
write("jpeg-ls-near", near, imagecodecs.jpegls_decode(near))
write("jpeg-2000", imagecodecs.jpeg2k_encode(signed, level=0, reversible=True, codecformat="j2k"))
lossy = imagecodecs.jpeg2k_encode(signed, level=90, reversible=False, codecformat="j2k")
write("jpeg-2000-lossy", lossy, imagecodecs.jpeg2k_decode(lossy))
write("htj2k", imagecodecs.htj2k_encode(signed, reversible=True))
lossy = imagecodecs.htj2k_encode(unsigned, reversible=False, level=0.001)
write("htj2k-lossy", lossy, imagecodecs.jpeg2k_decode(lossy))
write("jpeg-xl", imagecodecs.jpegxl_encode(unsigned, lossless=True))
lossy = imagecodecs.jpegxl_encode(unsigned, lossless=False, distance=0.3)
write("jpeg-xl-lossy", lossy, imagecodecs.jpegxl_decode(lossy))
