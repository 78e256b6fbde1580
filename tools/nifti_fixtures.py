"""Makes crates/hemora-io/tests/fixtures/volume-*: small NIfTI volumes as nibabel writes and reads them.

Needs nibabel 5 and numpy:
    pip install nibabel==5.4.2 numpy && python tools/nifti_fixtures.py

NAME.nii or NAME.nii.gz is the volume, NAME.txt its affine (RAS, mm), a row a line, and NAME.f64 its scaled
voxels, the first axis fastest.
"""

from pathlib import Path

import nibabel
import numpy as np

FOLDER = Path(__file__).parent.parent / "crates/hemora-io/tests/fixtures"
SIZE = 7, 6, 3


def write(name, end, kind, voxels, affine, codes, scale=(1, 0)):
    image = kind(voxels, None)
    header = image.header
    header.set_slope_inter(*scale)
    header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    sform, qform = codes
    if qform:
        header.set_qform(affine, qform)
    header.set_sform(affine if sform else None, sform)
    image = kind(voxels, header.get_best_affine(), header)
    image.header.set_slope_inter(*scale)
    image.header["sform_code"], image.header["qform_code"] = codes
    path = FOLDER / f"{name}{end}"
    nibabel.save(image, path)
    read = nibabel.load(path)
    np.savetxt(FOLDER / f"{name}.txt", read.affine, fmt="%.9g")
    values = np.asarray(read.dataobj, dtype="<f8")
    (FOLDER / f"{name}.f64").write_bytes(values.tobytes(order="F"))
    print(name, read.header["datatype"], read.header["magic"], read.affine.tolist(), values.min(), values.max())


def turned(degrees, axis):
    sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    matrix = np.eye(4)
    a, b = [(1, 2), (0, 2), (0, 1)][axis]
    matrix[a, a] = matrix[b, b] = cos
    matrix[a, b], matrix[b, a] = -sin, sin
    return matrix


index = np.arange(np.prod(SIZE)).reshape(SIZE)
shifted = np.eye(4)
shifted[:3, 3] = -90, -120, 40
# The usual orientation, RAS, tilted; from the quaternion alone.
ras = shifted @ turned(12, 0) @ np.diag([0.5, 0.6, 5, 1])
write("volume-qform", ".nii.gz", nibabel.Nifti1Image, (index * 13 - 1000).astype("<i2"), ras, (0, 1))
# The first axis to the back, the second to the right, the third to the feet; real numbers.
swapped = shifted @ np.array([[0, 0.4, 0, 0], [-0.8, 0, 0, 0], [0, 0, -2.5, 0], [0, 0, 0, 1]])
real = (index / 7 - 3).astype("<f4")
write("volume-sform", ".nii", nibabel.Nifti2Image, real, swapped, (2, 0))
# Left-handed, as dcm2niix writes, scaled, with a shear as a tilted gantry leaves it.
sheared = shifted @ np.array([[-0.5, 0, 0, 0], [0, 0.5, 1.2, 0], [0, 0, 4, 0], [0, 0, 0, 1]])
write("volume-scaled", ".nii", nibabel.Nifti1Image, (index % 251).astype("u1"), sheared, (1, 0), (8, -1024))
