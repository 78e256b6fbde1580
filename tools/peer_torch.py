"""Images per second of EfficientNet-Lite0 in PyTorch's eager mode, as JSON.

    HEMORA_TORCH_PYTHON tools/peer_torch.py --size 224 --batch 8 --repeats 5

The interpreter needs torch and timm. The weights are random: they do not change the time.
`cargo xtask bench triage` runs it when HEMORA_TORCH_PYTHON names such an interpreter.
"""

import argparse
import json
import statistics
import time

import timm
import torch


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--size", type=int, required=True)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--repeats", type=int, default=5)
    options = arguments.parse_args()
    model = timm.create_model("tf_efficientnet_lite0", num_classes=6).eval()
    images = torch.rand(options.batch, 3, options.size, options.size)
    seconds = []
    with torch.no_grad():
        for _ in range(options.repeats + 2):
            started = time.perf_counter()
            model(images)
            seconds.append(time.perf_counter() - started)
    # The first two passes allocate and choose kernels.
    rate = options.batch / statistics.median(seconds[2:])
    answer = {"images_per_s": rate, "threads": torch.get_num_threads(), "torch": torch.__version__}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
