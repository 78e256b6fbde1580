"""Training steps and epochs of PyTorch and timm on the same machine, channels-last, as JSON.

    python peer.py step NETWORK SIZE BATCH STEPS f32|bf16
    python peer.py epoch DATA NETWORK SIZE BATCH EPOCHS WORKERS
    python peer.py nccl

`epoch` reads the PNG files of a gathered folder in a DataLoader of WORKERS processes, with torchvision's
flip, rotation, shift, scale, brightness and contrast, and trains in bf16. `nccl` starts a group of one
process. Without a GPU it computes on the CPU.
"""

import csv
import json
import sys
import time
from pathlib import Path

import torch
from torch import nn

NAMES = {"efficientnet-lite0": "tf_efficientnet_lite0", "resnet50": "resnet50"}
LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def wait():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def trainer(network, precision):
    import timm

    # As in hemora-train, which leaves cuDNN's choice of kernels and TF32 as libtorch has them.
    model = timm.create_model(NAMES.get(network, network), num_classes=6, drop_rate=0.2)
    model = model.to(DEVICE, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

    def step(images, targets):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == "bf16"):
            scores = model(images)
        loss = nn.functional.binary_cross_entropy_with_logits(scores.float(), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        return loss

    return step


def steps(network, size, batch, count, precision):
    step = trainer(network, precision)
    images = torch.randn(batch, 3, size, size, device=DEVICE)
    images = images.contiguous(memory_format=torch.channels_last)
    targets = torch.rand(batch, 6, device=DEVICE).round()
    for number in range(count + 5):
        if number == 5:
            wait()
            began = time.perf_counter()
        step(images, targets)
    wait()
    return {"train_images_per_second": batch * count / (time.perf_counter() - began)}


class Slices(torch.utils.data.Dataset):
    def __init__(self, data, size):
        from torchvision import transforms

        with open(data / "complete.csv", newline="") as file:
            rows = [row["Label"] for row in csv.DictReader(file)]
        with open(data / "complete.csv", newline="") as file:
            ids = [row["ID"].rsplit("_", 1)[0] for row in csv.DictReader(file)][:: len(LABELS)]
        self.paths = [data / "images" / f"{id}.png" for id in ids]
        self.targets = torch.tensor([float(label) for label in rows]).reshape(-1, len(LABELS))
        self.change = transforms.Compose(
            [
                transforms.Resize((size, size)),
                transforms.RandomHorizontalFlip(),
                transforms.RandomAffine(15, (0.05, 0.05), (0.9, 1.1)),
                transforms.ColorJitter(0.1, 0.1),
                transforms.ToTensor(),
            ]
        )

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        from PIL import Image

        with Image.open(self.paths[index]) as image:
            grey = self.change(image.convert("L"))
        return grey.expand(3, -1, -1), self.targets[index]


def epochs(data, network, size, batch, count, workers):
    step = trainer(network, "bf16")
    loader = torch.utils.data.DataLoader(
        Slices(Path(data), size),
        batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=DEVICE.type == "cuda",
    )
    rates = []
    for _ in range(count):
        began, images = time.perf_counter(), 0
        for pictures, targets in loader:
            pictures = pictures.to(DEVICE, non_blocking=True, memory_format=torch.channels_last)
            step(pictures, targets.to(DEVICE, non_blocking=True))
            images += len(pictures)
        wait()
        rates.append(images / (time.perf_counter() - began))
    return {"epoch_images_per_second": rates}


def nccl():
    import torch.distributed as dist

    began = time.perf_counter()
    backend = "nccl" if DEVICE.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method="tcp://127.0.0.1:29611", rank=0, world_size=1)
    tensor = torch.ones(1 << 20, device=DEVICE)
    dist.all_reduce(tensor)
    wait()
    dist.destroy_process_group()
    return {"backend": backend, "seconds": time.perf_counter() - began}


def main():
    mode, *rest = sys.argv[1:] or [""]
    if mode == "step" and len(rest) == 5:
        answer = steps(rest[0], *map(int, rest[1:4]), rest[4])
    elif mode == "epoch" and len(rest) == 6:
        answer = epochs(rest[0], rest[1], *map(int, rest[2:]))
    elif mode == "nccl":
        answer = nccl()
    else:
        sys.exit(__doc__)
    print(json.dumps({"mode": mode, "device": str(DEVICE), "torch": torch.__version__, **answer}))


if __name__ == "__main__":
    main()
