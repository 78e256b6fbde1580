"""Batches a second of a PyTorch DataLoader on the JPEGs of a prepared set, as JSON.

    HEMORA_TORCH_PYTHON tools/peer_loader.py SET --size 224 --batch 32 --workers 2 --seconds 10

Decodes each JPEG, flips, shifts, scales, rotates and crops it in one warp, varies brightness and
contrast, normalises and erases: what `loader_bench` does. With OpenCV where it is installed, which
is the quickest way in Python, or else with Pillow and torchvision.
`cargo xtask bench loader` runs it when HEMORA_TORCH_PYTHON names such an interpreter.
"""

import argparse
import csv
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

try:
    import cv2

    cv2.setNumThreads(0)
except ImportError:
    cv2 = None
    from PIL import Image
    from torchvision.transforms import functional

MEAN, STD = np.float32(0.449), np.float32(0.226)


class Images(Dataset):
    def __init__(self, folder, size):
        self.size = size
        labels = {}
        with open(folder / "labels.csv", newline="") as table:
            for row in csv.DictReader(table):
                image, _ = row["ID"].rsplit("_", 1)
                labels.setdefault(image, []).append(float(row["Label"]))
        self.items = [(str(folder / "images" / f"{name}.jpg"), np.array(values, np.float32))
                      for name, values in sorted(labels.items())]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        path, label = self.items[index]
        image = self.with_opencv(path) if cv2 is not None else self.with_pillow(path)
        if random.random() < 0.1:
            self.erase(image)
        return image, torch.from_numpy(label)

    def with_opencv(self, path):
        image = cv2.imread(path, cv2.IMREAD_COLOR)
        side = image.shape[0]
        flip, angle, scale, shift, crop, centre = draw()
        # From the target to the source, about the centres.
        radians = math.radians(angle)
        sin, cos = math.sin(radians), math.cos(radians)
        step = crop * side / self.size
        turned = np.array([[cos, sin], [-sin, cos]]) / scale * step
        if flip:
            turned[0] = -turned[0]
        middle = np.array([self.size / 2 - 0.5 + shift[0] * self.size,
                           self.size / 2 - 0.5 + shift[1] * self.size])
        offset = side / 2 - 0.5 + np.array(centre) * side - turned @ middle
        warped = cv2.warpAffine(image, np.column_stack([turned, offset]), (self.size, self.size),
                                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        values = (np.arange(256, dtype=np.float32) / 255 - 0.5) * random.uniform(0.9, 1.1) + 0.5
        values = np.clip(values + random.uniform(-0.05, 0.05), 0, 1)
        values[[0, 255]] = 0, 1
        table = ((values - MEAN) / STD).astype(np.float32)
        # Red first, channels before rows.
        planes = np.ascontiguousarray(warped[:, :, ::-1].transpose(2, 0, 1))
        return torch.from_numpy(table[planes])

    def with_pillow(self, path):
        image = Image.open(path)
        side = image.width
        flip, angle, scale, shift, crop, centre = draw()
        if crop < 1:
            edge = round(crop * side)
            left, top = ((0.5 + value) * side - edge / 2 for value in centre)
            image = functional.resized_crop(image, round(top), round(left), edge, edge, self.size)
        else:
            image = functional.resize(image, self.size)
        if flip:
            image = functional.hflip(image)
        translate = [round(value * self.size) for value in shift]
        image = functional.affine(image, angle, translate, scale, 0,
                                  functional.InterpolationMode.BILINEAR)
        image = functional.adjust_contrast(image, random.uniform(0.9, 1.1))
        image = functional.adjust_brightness(image, random.uniform(0.95, 1.05))
        image = functional.to_tensor(image)
        return functional.normalize(image, [float(MEAN)] * 3, [float(STD)] * 3, inplace=True)

    def erase(self, image):
        area, aspect = random.uniform(0.02, 0.2), math.exp(random.uniform(-1.2, 1.2))
        rows = min(self.size, round(math.sqrt(area * aspect) * self.size))
        columns = min(self.size, round(math.sqrt(area / aspect) * self.size))
        top, left = random.randint(0, self.size - rows), random.randint(0, self.size - columns)
        image[:, top : top + rows, left : left + columns] = float((random.random() - MEAN) / STD)


def draw():
    """Flip, degrees, scale, shift, and side and centre of a crop, parts of the side."""
    crop, centre = 1.0, (0.0, 0.0)
    if random.random() < 0.5:
        crop = random.uniform(0.6, 0.99)
        room = (1 - crop) / 2
        centre = random.uniform(-room, room), random.uniform(-room, room)
    shift = random.uniform(-0.06, 0.06), random.uniform(-0.06, 0.06)
    return (random.random() < 0.5, random.uniform(-20, 20), random.uniform(0.9, 1.1), shift, crop,
            centre)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("set", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    loader = DataLoader(
        Images(options.set, options.size),
        batch_size=options.batch,
        shuffle=True,
        num_workers=options.workers,
        drop_last=True,
        persistent_workers=True,
    )
    # The first epoch starts the workers.
    for images, _ in loader:
        assert images.shape == (options.batch, 3, options.size, options.size)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < options.seconds:
        for images, _ in loader:
            count += len(images)
    answer = {
        "images": count,
        "total_s": time.perf_counter() - began,
        "with": "OpenCV" if cv2 is not None else "Pillow and torchvision",
        "torch": torch.__version__,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
