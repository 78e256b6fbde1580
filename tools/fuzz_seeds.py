"""Makes fuzz/seeds: small inputs of our own making, from which the fuzz targets start.

Needs numpy, Pillow, pyarrow and pydicom, which tools/peers-requirements.txt has:
    .env/peers/bin/python tools/fuzz_seeds.py
The compressed frames are those of crates/hemora-io/tests/fixtures, the description of a model that
of models/default.hemora.
"""

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

ROOT = Path(__file__).parent.parent
FRAMES = ROOT / "crates/hemora-io/tests/fixtures"
LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]


def seed(target, name, data):
    folder = ROOT / "fuzz/seeds" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes(data))


def dicom(frames=1):
    """A slice of 16 × 16 pixels, or an enhanced object of several."""
    data = FileDataset(None, {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CTImageStorage if frames == 1 else EnhancedCTImageStorage
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.SeriesInstanceUID, data.StudyInstanceUID, data.Modality = "1.2.4", "1.2.5", "CT"
    data.PatientID, data.SeriesDescription, data.InstanceNumber = "P", "Sch\u00e4del", 1
    data.SpecificCharacterSet = "ISO_IR 100"
    data.Rows = data.Columns = 16
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelPaddingValue = -2000
    data.WindowCenter, data.WindowWidth = [40, 600], [80, 2800]
    place = {"ImagePositionPatient": [-4, -4, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    scale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    measures = {"PixelSpacing": [0.5, 0.5], "SliceThickness": 5}
    if frames == 1:
        for values in place, scale, measures:
            for name, value in values.items():
                setattr(data, name, value)
    else:
        def item(**values):
            made = pydicom.Dataset()
            for name, value in values.items():
                setattr(made, name, value)
            return made

        data.NumberOfFrames = frames
        data.SharedFunctionalGroupsSequence = [
            item(
                PixelMeasuresSequence=[item(**measures)],
                PixelValueTransformationSequence=[item(**scale)],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            )
        ]
        data.PerFrameFunctionalGroupsSequence = [
            item(PlanePositionSequence=[item(ImagePositionPatient=[-4, -4, 5 * frame])])
            for frame in range(frames)
        ]
    pixels = (np.arange(256 * frames) * 7 % 1200).astype("<i2")
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW"
    file = io.BytesIO()
    data.save_as(file)
    return file.getvalue()


def picture(form, mode="L"):
    grey = (np.arange(24 * 16).reshape(16, 24) * 5 % 251).astype("u1")
    file = io.BytesIO()
    Image.fromarray(grey).convert(mode).save(file, form)
    return file.getvalue()


def nifti_1(code, kind):
    """6 × 5 × 2 voxels with an sform, little endian."""
    head = bytearray(352)
    voxels = (np.arange(60) * 3 % 250).astype(kind)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<5h", head, 40, 3, 6, 5, 2, 1)
    struct.pack_into("<2h", head, 70, code, voxels.itemsize * 8)
    struct.pack_into("<3f", head, 108, 352, 1, -1024)
    struct.pack_into("<2h", head, 252, 0, 1)
    struct.pack_into("<12f", head, 280, -0.5, 0, 0, 90, 0, 0.5, 0, -120, 0, 0, 5, 10)
    head[344:348] = b"n+1\0"
    return bytes(head) + voxels.tobytes()


def nifti_2():
    """6 × 5 × 2 voxels with a qform, big endian."""
    head = bytearray(544)
    struct.pack_into(">i", head, 0, 540)
    head[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(">2h", head, 12, 4, 16)
    struct.pack_into(">4q", head, 16, 3, 6, 5, 2)
    struct.pack_into(">4d", head, 104, 1, 0.5, 0.5, 5)
    struct.pack_into(">q", head, 168, 544)
    struct.pack_into(">2i", head, 344, 1, 0)
    return bytes(head) + np.arange(60, dtype=">i2").tobytes()


def archive(entries, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in entries:
            made.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def tar(entries, form):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as made:
        for name, data in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    # The end, without the zeros that fill a tape's record.
    return file.getvalue().rstrip(b"\0") + bytes(1536)


def index():
    """Two rows: a usable image and one that is not."""
    text = "path entry_name sha256 error id sop_instance_uid series_instance_uid study_instance_uid"
    whole = "entry frame file_size modified_ns instance_number rows columns bits_allocated bits_stored"
    real = (
        "z tilt_degrees row_spacing column_spacing slice_thickness rescale_slope rescale_intercept "
        "window_level window_width pct_in_window hu_min hu_max"
    )
    columns = {name: pa.array(["a.dcm", None]) for name in f"{text} patient_id flags".split()}
    columns |= {name: pa.array([1, None], pa.int64()) for name in whole.split()}
    columns |= {name: pa.array([0.5, None], pa.float64()) for name in real.split()}
    columns |= {name: pa.array([True, None], pa.bool_()) for name in ["signed", *LABELS]}
    columns |= {"path": pa.array(["a.dcm", "b.dcm"]), "error": pa.array([None, "cut off"])}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="none", use_dictionary=["path"])
    return file.getvalue()


def zstandard(data):
    """A frame of one block as it is (RFC 8878)."""
    block = (len(data) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd" + b"\xa0" + struct.pack("<I", len(data)) + block + data


def message(*fields):
    """A protocol buffers message of (number, value); texts and bytes have lengths."""
    made = b""
    for number, value in fields:
        if isinstance(value, int):
            made += bytes([number << 3, value])
        else:
            value = value.encode() if isinstance(value, str) else value
            made += bytes([number << 3 | 2, len(value)]) + value
    return made


def network():
    """ONNX: a linear layer of 3 inputs and 2 outputs, and a sigmoid."""
    weight = message((1, b"\2\3"), (2, 1), (8, "w"), (9, np.arange(6, dtype="<f4").tobytes()))
    gemm = message((1, "x"), (1, "w"), (2, "y"), (4, "Gemm"), (5, message((1, "transB"), (3, 1))))
    sigmoid = message((1, "y"), (2, "p"), (4, "Sigmoid"))
    graph = message((1, gemm), (1, sigmoid), (5, weight), (12, message((1, "p"))))
    return message((1, 8), (7, graph), (8, message((2, 17))))


seed("dicom", "slice.dcm", dicom())
seed("dicom", "frames.dcm", dicom(2))
seed("archive", "stored.zip", archive([("a/1.dcm", dicom()), ("../2.dcm", b"DICM")]))
seed("archive", "deflated.zip", archive([("a/1.dcm", dicom())], zipfile.ZIP_DEFLATED))
TAR = [("./a/1.dcm", dicom()), ("a" * 120, dicom()), ("größe", b"DICM")]
seed("archive", "gnu.tar", tar(TAR, tarfile.GNU_FORMAT))
seed("archive", "pax.tar.gz", gzip.compress(tar(TAR, tarfile.PAX_FORMAT), mtime=0))

# The place of each codec's transfer syntax in SYNTAXES of fuzz/src/lib.rs.
SYNTAXES = 12
codings = {"jpeg-extended": 2, "jpeg-spectral-selection": 3, "jpeg-full-progression": 3, "jpeg-ls": 5,
           "jpeg-ls-near": 6, "jpeg-2000": 7, "jpeg-2000-lossy": 8, "htj2k": 9, "htj2k-lossy": 9,
           "jpeg-xl": 10, "jpeg-xl-lossy": 10}
for name, syntax in codings.items():
    frame = (FRAMES / f"{name}.frame").read_bytes()
    for depth, bits in enumerate([16, 12]):
        seed("pixels", f"{name}-{bits}", bytes([depth * SYNTAXES + syntax]) + frame)
runs = bytes([129, 3]) * -(-21 * 37 // 128)
segments = struct.pack("<16I", 2, 64, 64 + len(runs), *[0] * 13) + runs + runs
seed("pixels", "run-length", bytes([0]) + segments)
seed("pixels", "native", bytes([11]) + bytes(21 * 37 * 2))
grey = Image.fromarray((np.arange(21 * 37).reshape(21, 37) % 251).astype("u1"))
file = io.BytesIO()
grey.save(file, "JPEG")
seed("pixels", "jpeg", bytes([2 * SYNTAXES + 1]) + file.getvalue())

for code, kind in {2: "u1", 4: "<i2", 16: "<f4", 512: "<u2"}.items():
    seed("nifti", f"{code}.nii", nifti_1(code, kind))
seed("nifti", "second.nii", nifti_2())
seed("nifti", "second.nii.gz", gzip.compress(nifti_2(), mtime=0))
for form, mode in [("PNG", "L"), ("PNG", "RGB"), ("JPEG", "L"), ("JPEG", "RGB")]:
    seed("picture", f"{mode}.{form}".lower(), picture(form, mode))

table = "ID,Label\n" + "".join(f"ID_{n}_{label},{n}\n" for n in range(2) for label in LABELS)
wide = f"id,{','.join(LABELS)},label_any\nID_0,0.5,0.25,1,0,1e-3,0.7,1\n"
seed("tables", "labels", b"\0" + table.encode())
seed("tables", "submission", b"\1" + table.encode())
seed("tables", "groups", b'\2ID,PatientID\nID_0,a\nID_1,"a"\n')
seed("tables", "series", b"\2scan_id,image_0,image_1\ns,ID_0,ID_1\nt,ID_2,Pad\n")
named = [f"{kind}_{label}" for kind in ["label", "prob"] for label in LABELS]
slices = ",".join(["series,study,patient,id,z_mm,spacing_mm,fold", *named])
rows = "".join(f"s,t,p,ID_{n},{n}.5,5,0,{'0,' * 6}.1,.2,.3,.4,.5,.6\n" for n in range(2))
seed("tables", "slices", b"\3" + f"{slices}\n{rows}".encode())
head = b'{"features":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}'
seed("tables", "features", b"\4" + struct.pack("<Q", len(head)) + head + bytes(12))
seed("index", "set.parquet", index())

channels = "".join(
    f"[[output.channels]]\n{window}\noffset = {offset}\n"
    for window, offset in [("window = { level = 40, width = 80 }", 0), ("", -1), ("", 1)]
)
jpeg = '[output]\nformat = "jpeg"\nquality = 90\nsubsample = true\n'
head = 'name = "own"\ncrop = "brain"\ncanvas = 32\nsize = 16\nmin_in_window = 0.02\n'
seed("recipe", "jpeg.toml", (head + jpeg + channels).encode())
seed("recipe", "hu.toml", b'name = "hu"\n[output]\nformat = "hu"\nshard_slices = 16\n')

image = zstandard(np.arange(64, dtype="<i2").tobytes())
rows = f"ID,offset,bytes,rows,columns,reason\nID_1,0,{len(image)},8,8,\nID_2,0,0,0,0,cut off"
seed("shards", "set", rows.encode() + b"\n--\n" + image)

tensor = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
text = json.dumps({"__metadata__": {"network": "simple-nn"}, "dense_1.weight": tensor}).encode()
weights = struct.pack("<Q", len(text)) + text + np.arange(6, dtype="<f4").tobytes()
seed("model", "safetensors", b"\0" + weights)
seed("model", "onnx", b"\1" + network())
with zipfile.ZipFile(ROOT / "models/default.hemora") as bundle:
    about = json.loads(bundle.read("model.json"))


def bundle(about):
    """A bundle whose every network is the same."""
    parts = [("model.json", json.dumps(about)), ("card.md", "A seed.\n")]
    for index, member in enumerate(about["members"]):
        parts.append((f"members/{index}/model.onnx", network()))
        count = sum(len(stage["sha256"]) for stage in member.get("series", []))
        parts += [(f"members/{index}/series/{at}.onnx", network()) for at in range(count)]
    count = len(about["series"]["stage"]["sha256"]) if "series" in about else 0
    return archive(parts + [(f"series/{at}.onnx", network()) for at in range(count)])


def seed_bundle(name, about):
    seed("model", f"description{name}", b"\3" + json.dumps(about).encode())
    seed("model", f"bundle{name}", b"\2" + bundle(about))


sha256 = hashlib.sha256(network()).hexdigest()
about["members"][0]["sha256"] = sha256
seed_bundle("", about)
stage = {"network": "sequence-features", "reads": "features", "columns": 8}
stage |= {"trainable_parameters": 1, "sha256": [sha256]}
then = {**stage, "network": "sequence-probabilities", "reads": "probabilities", "columns": 36}
member = {**about["members"][0], "series": [stage, then]}
seed_bundle("-series", about | {"members": [member]})
members = [{**member, "weights": [0.5] * 6}] * 2
tree = [{"split": [3, 0.5, 1, 2]}, {"leaf": -1.0}, {"leaf": 1.0}]
stacked = {"label": "any", "base": -2.0, "trees": [tree]}
stacking = {"models": 1, "neighbours": 1, "labels": [stacked]}
seed_bundle("-ensemble", about | {"members": members, "stacking": stacking})
last = {"stage": then, "slice_weights": [[0.5] * 6] * 2}
seed_bundle("-last", about | {"members": members, "series": last})
