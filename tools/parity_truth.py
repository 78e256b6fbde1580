"""What a fixture of parity_fixtures.py holds: formulas for images and weights, and the file.

Everything is computed in float64 from weights and images rounded to float32, so that each figure
is exact to the nine digits it has. `float32_deviation` says how far the float32 of PyTorch and
Keras is from it: a test that runs in float32 has to allow somewhat more than that.

Images, for image n, channel c, row i, column j of a W wide image, in float64, then float32:

    x[n, c, i, j] = sin(0.01 * (i * W + j) + c + 0.5 * n)

Weights of the formula variants: element k (row-major, PyTorch's layout, from 0) of a tensor is
`base + scale * v(k)` in float64, then float32, where v is in [-1, 1) and comes from integers only
(all arithmetic modulo 2^32, crc32 as in zlib):

    h = crc32(name) + k * 0x9E3779B9
    h ^= h >> 16;  h *= 0x85EBCA6B;  h ^= h >> 13;  h *= 0xC2B2AE35;  h ^= h >> 16
    v = h / 2^31 - 1

    tensor                            base   scale
    *.running_mean                    0      0.1
    *.running_var                     1.25   0.25
    *.bias                            0      0.05
    *.weight, *.gamma of one dim.     1      0.1
    predictions.weight, fc.weight     0      sqrt(0.03 / fan_in)
    *.weight else                     0      sqrt(6 / fan_in)     fan_in: product of shape[1:]

A GRU's tensors have PyTorch's names: its biases (`gru.bias_ih_l0`) are of one dimension, its
matrices (`gru.weight_ih_l0`) are as weights. Slices are given in parity_sequence.py.

Names are `<node>.<tensor>`; convolutions [out, in, rows, columns], linear layers [out, in]. Keras
flattens rows × columns × channels and Hemora channels × rows × columns: `dense_1.weight` is given
in Hemora's order, and permuted here before Keras gets it.
"""

import json
import platform
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "crates/hemora-train/tests/fixtures"
EVAL_BATCH = 2
TRAIN_BATCH = 4


def images(count, size):
    n, c, i, j = np.ogrid[:count, :3, :size, :size]
    return np.sin(0.01 * (i * size + j) + c + 0.5 * n).astype(np.float32)


def noise(name, count):
    h = (np.arange(count, dtype=np.uint64) * 0x9E3779B9 + zlib.crc32(name.encode())) & 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> 13
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> 16
    return h.astype(np.float64) / 2.0**31 - 1.0


def formula(name, shape):
    if name.endswith(".running_mean"):
        base, scale = 0.0, 0.1
    elif name.endswith(".running_var"):
        base, scale = 1.25, 0.25
    elif name.endswith(".bias"):
        base, scale = 0.0, 0.05
    elif len(shape) == 1:
        base, scale = 1.0, 0.1
    else:
        # ResNets' sums grow from block to block; without this their softmax would answer 0 and 1.
        gain = 0.03 if name in ["predictions.weight", "fc.weight"] else 6.0
        base, scale = 0.0, np.sqrt(gain / np.prod(shape[1:]))
    values = base + scale * noise(name, int(np.prod(shape)))
    return values.astype(np.float32).reshape(shape)


def plain(values):
    """Nested lists with nine digits, which float32 needs and which diffs stay short with."""
    if isinstance(values, dict):
        return {key: plain(value) for key, value in values.items()}
    if isinstance(values, (list, tuple, np.ndarray)):
        return [plain(value) for value in values]
    return float(f"{float(values):.9g}")


def without_rounding(norms):
    """A bias before batch normalisation has no gradient; what rounding leaves of it becomes 0."""
    largest = max(norms.values())
    return {name: norm if norm > 1e-11 * largest else 0.0 for name, norm in norms.items()}


def deviation(exact, single):
    """How far float32 is from float64: relative to the largest logit, the loss, each norm."""
    logits = np.abs(single["logits"] - exact["logits"]).max() / np.abs(exact["logits"]).max()
    norms = max(
        abs(single["norms"][name] - norm) / norm for name, norm in exact["norms"].items() if norm
    )
    loss = abs(single["loss"] - exact["loss"]) / exact["loss"]
    return {"logits": logits, "loss": loss, "gradient_norms": norms}


def save(file, truth):
    """Writes a fixture, in which numbers stand one after the other, so that it is short."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(truth, indent=1)
    lines, inside = [], False
    for line in text.splitlines():
        number = line.strip().rstrip(",").lstrip("-")[:1].isdigit()
        closes = line.strip().rstrip(",") == "]"
        if inside and (number or closes):
            lines[-1] += (" " if number and not lines[-1].endswith("[") else "") + line.strip()
        else:
            lines.append(line)
        inside = number or line.endswith("[")
    (FOLDER / file).write_text("\n".join(lines) + "\n")
    assert json.loads((FOLDER / file).read_text()) == truth


def write(file, network, weights, size, exact, single, targets, loss_name, batch_norm, output):
    exact["norms"] = without_rounding(exact["norms"])
    truth = {
        "about": "made by tools/parity_fixtures.py; the head of tools/parity_truth.py has the formulas",
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in ["torch", "timm", "keras", "numpy"]},
        },
        "network": network,
        "weights": weights,
        "image_size": size,
        "batch_norm": batch_norm,
        "eval": {
            "batch": EVAL_BATCH,
            "output": output,
            "logits": plain(exact["logits"]),
            "outputs": [] if output == "logits" else plain(exact["outputs"]),
        },
        "train": {
            "batch": TRAIN_BATCH,
            "targets": targets,
            "loss_name": loss_name,
            "loss": plain(exact["loss"]),
            "gradient_norms": plain(exact["norms"]),
            "running": plain(exact["running"]),
        },
        "float32_deviation": plain(deviation(exact, single)),
    }
    if weights == "formula":
        truth["first_values"] = plain(exact["first_values"])
    save(file, truth)
    print(f"{file}: {(FOLDER / file).stat().st_size} bytes,", truth["float32_deviation"])
    print("  logits", exact["logits"][0][:6], "loss", exact["loss"])
