"""Training steps and an epoch in PyTorch with channels-last, as JSON.

    HEMORA_TORCH_PYTHON tools/peer_train.py step NETWORK SIZE BATCH STEPS THREADS
    HEMORA_TORCH_PYTHON tools/peer_train.py epoch FOLDER NETWORK SIZE BATCH THREADS

The same networks as Hemora's: the seed study's (the ResNet50 of Keras, with conv biases and strides
in the first 1x1 convolutions) and timm's EfficientNet-Lite0; Adadelta as in Keras. An epoch reads the
PNG files of FOLDER/images in a DataLoader of THREADS processes, with torchvision's flip, rotation,
shift, scale, brightness and contrast. The interpreter needs torch, torchvision, timm and Pillow.
`cargo xtask bench train` runs it when HEMORA_TORCH_PYTHON names such an interpreter.
"""

import csv
import json
import sys
import time
from pathlib import Path

import timm
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, width, stride, project):
        super().__init__()

        def layer(a, b, kernel, stride=1):
            norm = nn.BatchNorm2d(b, eps=1e-3, momentum=0.01)
            return nn.Sequential(nn.Conv2d(a, b, kernel, stride, kernel // 2), norm)

        relu = nn.ReLU(inplace=True)
        self.body = nn.Sequential(
            layer(inputs, width, 1, stride), relu, layer(width, width, 3), relu, layer(width, 4 * width, 1)
        )
        self.shortcut = layer(inputs, 4 * width, 1, stride) if project else nn.Identity()
        self.relu = relu

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def resnet50():
    layers = [
        nn.Conv2d(3, 64, 7, 2, 3),
        nn.BatchNorm2d(64, eps=1e-3, momentum=0.01),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    inputs = 64
    for stage, (blocks, width) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(Block(inputs, width, stride, block == 0))
            inputs = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 2))


def network(name, size):
    if name == "simple-nn":
        model = nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, 128), nn.ReLU(), nn.Linear(128, 1))
    elif name == "deep-cnn":
        side = ((size - 4) // 2 - 4) // 2
        model = nn.Sequential(
            nn.Conv2d(3, 32, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * side * side, 128),
            nn.ReLU(),
            nn.Linear(128, 1),
        )
    elif name == "resnet50":
        model = resnet50()
    else:
        model = timm.create_model("tf_efficientnet_lite0", num_classes=1, drop_rate=0.2)
    return model.to(memory_format=torch.channels_last).train()


def trainer(name, size):
    model = network(name, size)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0, rho=0.95, eps=1e-7)

    def step(images, targets):
        optimizer.zero_grad(set_to_none=True)
        scores = model(images.contiguous(memory_format=torch.channels_last))
        if scores.shape[1] == 2:
            loss = nn.functional.cross_entropy(scores, targets.long())
        else:
            loss = nn.functional.binary_cross_entropy_with_logits(scores[:, 0], targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def steps(name, size, batch, count):
    step = trainer(name, size)
    images, targets = torch.randn(batch, 3, size, size), torch.zeros(batch)
    seconds = []
    # The first two steps allocate and choose kernels.
    for number in range(count + 2):
        began = time.perf_counter()
        step(images, targets)
        if number >= 2:
            seconds.append(time.perf_counter() - began)
    return {"seconds": seconds, "torch": torch.__version__}


class Images(torch.utils.data.Dataset):
    def __init__(self, folder, size):
        from torchvision import transforms

        with open(folder / "labels.csv") as file:
            rows = [row for row in csv.DictReader(file) if row["ID"].endswith("_any")]
        self.items = [(folder / "images" / f"{row['ID'][:-4]}.png", int(row["Label"])) for row in rows]
        self.change = transforms.Compose(
            [
                transforms.Resize((size, size)),
                transforms.RandomHorizontalFlip(),
                transforms.RandomAffine(20, translate=(0.06, 0.06), scale=(0.9, 1.1), interpolation=transforms.InterpolationMode.BILINEAR),
                transforms.ColorJitter(brightness=0.05, contrast=0.1),
                transforms.ToTensor(),
                transforms.Normalize(0.5, 0.5),
            ]
        )

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        from PIL import Image

        path, label = self.items[index]
        return self.change(Image.open(path)).expand(3, -1, -1), float(label)


def epoch(folder, name, size, batch, threads):
    step = trainer(name, size)
    began = time.perf_counter()
    images = Images(folder, size)
    loader = torch.utils.data.DataLoader(
        images, batch, shuffle=True, num_workers=threads, drop_last=True
    )
    for inputs, targets in loader:
        step(inputs, targets.float())
    total = time.perf_counter() - began
    return {"images": len(loader) * batch, "total_s": total, "torch": torch.__version__}


def main():
    mode, *arguments = sys.argv[1:]
    torch.set_num_threads(int(arguments[-1]))
    if mode == "step":
        name, *numbers = arguments[:-1]
        answer = steps(name, *map(int, numbers))
    else:
        folder, name, size, batch, threads = arguments
        answer = epoch(Path(folder), name, int(size), int(batch), int(threads))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
