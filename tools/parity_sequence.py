"""Writes the figures that sequence operations and networks are compared with: PyTorch's.

Run by hand when a network changes, with the interpreter of parity_fixtures.py:

    /tmp/parity/bin/python tools/parity_sequence.py

The modules below are written from the description of the networks, not from Hemora's graphs. Each
reads [N, slices, columns] and gives logits [N, slices, units]; value c of slice s of series n is

    x[n, s, c] = sin(0.37 * (s * columns + c) + 0.5 * n)

in float64, then float32. Weights have the formula of parity_truth.py, dropout is 0. The loss is the
mean binary cross-entropy of all logits against targets that are 1 where (n + 2 * s + u) % 3 == 0.
"""

import platform
from importlib.metadata import version

import numpy as np
import torch
from parity_truth import deviation, formula, plain, save, without_rounding
from torch import nn

LENGTHS = [1, 20, 24, 60]
TRAIN = (3, 7)


def slices(count, length, columns):
    n, s, c = np.ogrid[:count, :length, :columns]
    return np.sin(0.37 * (s * columns + c) + 0.5 * n).astype(np.float32)


def targets(count, length, units):
    n, s, u = np.ogrid[:count, :length, :units]
    return ((n + 2 * s + u) % 3 == 0).astype(np.float64)


class GruAlone(nn.Module):
    """A GRU of two layers on 3 columns."""

    columns = 3

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 5, num_layers=2, batch_first=True, bidirectional=True)

    def forward(self, x):
        return self.gru(x)[0]


class ConvAlone(nn.Module):
    """Two labels of three kinds of values, then a dilated convolution with bias."""

    columns = 6

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 5, dilation=3, padding="same")

    def forward(self, x):
        count, length, _ = x.shape
        both = [self.conv(x[:, :, label::2].transpose(1, 2)) for label in range(2)]
        # Channel by channel, in each the two labels side by side.
        return torch.stack(both, 2).permute(0, 3, 1, 2).reshape(count, length, -1)


class Features(nn.Module):
    """Sequence model 1 on 20 features."""

    columns = 20

    def __init__(self):
        super().__init__()
        self.conv_1, self.norm_1 = nn.Conv1d(20, 512, 1, bias=False), nn.BatchNorm1d(512)
        self.conv_2, self.norm_2 = nn.Conv1d(512, 128, 1, bias=False), nn.BatchNorm1d(128)
        self.slice = nn.Linear(128, 6)
        self.gru = nn.GRU(128, 96, num_layers=2, batch_first=True, bidirectional=True)
        self.series = nn.Linear(192, 6)

    def forward(self, x):
        x = x.transpose(1, 2)
        x = torch.relu(self.norm_1(self.conv_1(x)))
        x = torch.relu(self.norm_2(self.conv_2(x))).transpose(1, 2)
        return self.slice(x) + self.series(self.gru(x)[0])


class Probabilities(nn.Module):
    """Sequence model 2 on five values for each of six labels."""

    columns = 30

    def __init__(self):
        super().__init__()
        sizes = [(5, 512, 5, 1), (512, 256, 3, 2), (256, 256, 3, 4), (256, 256, 3, 2)]
        for index, (inputs, outputs, kernel, dilation) in enumerate(sizes, 1):
            conv = nn.Conv2d(
                inputs, outputs, (kernel, 1), bias=False, dilation=(dilation, 1),
                padding=(kernel // 2 * dilation, 0),
            )
            setattr(self, f"conv_{index}", conv)
            setattr(self, f"norm_{index}", nn.BatchNorm2d(outputs))
        self.slice = nn.Conv2d(256, 1, (3, 1), padding=(1, 0), bias=False)
        self.gru = nn.GRU(256 * 6, 96, num_layers=2, batch_first=True, bidirectional=True)
        self.series = nn.Linear(192, 6)

    def forward(self, x):
        count, length, _ = x.shape
        x = x.reshape(count, length, 5, 6).permute(0, 2, 1, 3)
        for index in range(1, 5):
            x = torch.relu(getattr(self, f"norm_{index}")(getattr(self, f"conv_{index}")(x)))
        alone = self.slice(x)[:, 0]
        vectors = x.permute(0, 2, 1, 3).reshape(count, length, -1)
        return alone + self.series(self.gru(vectors)[0])


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = nn.Module()
        for name in ["q", "k", "v", "proj"]:
            setattr(self.attn, name, nn.Linear(width, width))
        self.attn.distance = nn.Parameter(torch.zeros(heads, 13))
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x, z):
        steps = torch.tensor([0.5, 1, 2, 4, 8, 16], dtype=x.dtype)
        both = torch.stack([steps, -steps], 1).flatten()
        middles = torch.cat([torch.zeros(1, dtype=x.dtype), both])
        widths = torch.where(middles == 0, torch.full_like(middles, 0.25), middles.abs() / 2)
        apart = z[:, :, None, None] - z[:, None, :, None]
        bells = torch.exp(-(((apart - middles) / widths) ** 2))
        bias = torch.einsum("nijk,hk->nhij", bells, self.attn.distance)
        normed = self.norm1(x)
        q, k, v = (
            getattr(self.attn, name)(normed).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for name in "qkv"
        )
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + self.attn.proj(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp.fc2(nn.functional.gelu(self.mlp.fc1(self.norm2(x))))


class Transformer(nn.Module):
    """The transformer on 20 features and the place of each slice."""

    columns = 21

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(20, 192)
        self.embed.norm = nn.BatchNorm1d(20)
        self.blocks = nn.ModuleList(Block(192, 4) for _ in range(2))
        self.norm = nn.LayerNorm(192, eps=1e-6)
        self.head = nn.Linear(192, 6)

    def forward(self, x):
        x, z = x[:, :, :20], x[:, :, 20]
        x = self.embed(self.embed.norm(x.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x, z)
        return self.head(self.norm(x))


def measured(build, dtype):
    model = build().to(dtype)
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        # Kernels of one column are [out, in, slices] in Hemora.
        shape = tuple(tensor.shape[:3])
        values = formula(name, shape).reshape(tensor.shape)
        tensor.copy_(torch.from_numpy(values).to(dtype))
    model.eval()
    with torch.no_grad():
        given = [torch.from_numpy(slices(1, length, build.columns)) for length in LENGTHS]
        logits = [model(x.to(dtype)) for x in given]
    model.train()
    x = torch.from_numpy(slices(*TRAIN, build.columns)).to(dtype)
    answer = model(x)
    truth = torch.from_numpy(targets(*answer.shape)).to(dtype)
    loss = nn.functional.binary_cross_entropy_with_logits(answer, truth)
    loss.backward()
    return {
        "lengths": [values[0].to(torch.float64).numpy() for values in logits],
        "logits": np.concatenate([values[0].to(torch.float64).numpy() for values in logits]),
        "loss": float(loss.detach()),
        "norms": {name: float(it.grad.norm()) for name, it in model.named_parameters()},
        "running": {
            name: tensor[:4].to(torch.float64).numpy()
            for name, tensor in model.state_dict().items()
            if name.endswith(("running_mean", "running_var"))
        },
    }


def main():
    networks = {
        "gru": GruAlone,
        "conv": ConvAlone,
        "features": Features,
        "probabilities": Probabilities,
        "transformer": Transformer,
    }
    for name, build in networks.items():
        exact, single = (measured(build, dtype) for dtype in [torch.float64, torch.float32])
        exact["norms"] = without_rounding(exact["norms"])
        save(
            f"sequence_{name}.json",
            {
                "about": "made by tools/parity_sequence.py; its head has the formulas",
                "versions": {
                    "python": platform.python_version(),
                    **{package: version(package) for package in ["torch", "numpy"]},
                },
                "columns": build.columns,
                "eval": {
                    str(length): plain(values)
                    for length, values in zip(LENGTHS, exact["lengths"])
                },
                "train": {
                    "batch": TRAIN[0],
                    "slices": TRAIN[1],
                    "loss": plain(exact["loss"]),
                    "gradient_norms": plain(exact["norms"]),
                    "running": plain(exact["running"]),
                },
                "float32_deviation": plain(deviation(exact, single)),
            },
        )
        print(name, deviation(exact, single), exact["logits"][0])


if __name__ == "__main__":
    main()
