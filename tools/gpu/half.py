"""Weights of a safetensors file as 16-bit numbers, and back.

    python half.py narrow IN OUT
    python half.py widen IN OUT

`narrow` halves a file for travelling: matrices and kernels become F16 where that keeps three digits of
every large value; vectors (norms, biases, running statistics) stay F32, they are few and may be small.
`widen` makes F32 of all F16, as hemora-train reads it. Metadata stays. Needs numpy.
"""

import json
import sys
from pathlib import Path

import numpy

KINDS = {"F16": numpy.float16, "F32": numpy.float32}


def read(path):
    """Metadata and tensors of a file; errors name it."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else -1
    if not 0 < length <= len(data) - 8:
        raise ValueError(f"{path}: no safetensors file")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in KINDS:
            raise ValueError(f"{path}: {name} is {entry['dtype']}; expected {' or '.join(KINDS)}")
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin : 8 + length + end]
        tensors[name] = numpy.frombuffer(raw, KINDS[entry["dtype"]]).reshape(entry["shape"])
    return metadata, tensors


def write(path, metadata, tensors):
    """Writes a file under another name first: a reader never sees half of it."""
    header, blocks, offset = {"__metadata__": metadata} if metadata else {}, [], 0
    for name in sorted(tensors):
        tensor = tensors[name]
        kind = next(kind for kind, dtype in KINDS.items() if tensor.dtype == dtype)
        block = numpy.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": kind,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(block)],
        }
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    part = Path(f"{path}.part")
    part.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blocks))
    part.replace(path)


def narrowed(tensor):
    if tensor.ndim < 2 or tensor.dtype != numpy.float32 or tensor.size == 0:
        return tensor
    peak = float(abs(tensor).max())
    # F16 has 3 digits from 6e-5 to 65504; a kernel outside keeps its 32 bits.
    if not 1e-3 < peak < 6e4:
        return tensor
    return tensor.astype(numpy.float16)


def convert(source, target, change):
    metadata, tensors = read(source)
    write(target, metadata, {name: change(tensor) for name, tensor in tensors.items()})


def narrow(source, target):
    convert(source, target, narrowed)


def widen(source, target):
    convert(source, target, lambda tensor: tensor.astype(numpy.float32))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("narrow", "widen"):
        sys.exit(__doc__)
    (narrow if sys.argv[1] == "narrow" else widen)(*sys.argv[2:])
