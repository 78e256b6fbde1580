"""Networks whose truth is timm: EfficientNet-Lite, ResNet, DenseNet, SE-ResNeXt, ConvNeXt.

Called by parity_fixtures.py, which says what is needed; on its own it writes the fixtures of the
networks named as arguments:

    /tmp/parity/bin/python tools/parity_timm.py densenet121 convnext_nano
"""

import sys

import timm
import torch
from parity_truth import EVAL_BATCH, TRAIN_BATCH, formula, images, write

SIZE = 64
CLASSES = 6
TARGETS = [0, 5, 2, 3]

# timm's network, the fixture, and the layers whose running statistics are kept.
NETWORKS = {
    "tf_efficientnet_lite0": (
        "parity_lite0_formula.json",
        ["bn1", "blocks.0.0.bn1", "blocks.3.1.bn2", "blocks.6.0.bn3", "bn2"],
    ),
    "tf_efficientnet_lite1": ("parity_lite1.json", ["bn1", "blocks.1.2.bn1", "bn2"]),
    "tf_efficientnet_lite2": ("parity_lite2.json", ["bn1", "blocks.1.2.bn1", "bn2"]),
    "resnet18": ("parity_resnet18.json", ["bn1", "layer2.0.downsample.1", "layer4.1.bn2"]),
    "resnet34": ("parity_resnet34.json", ["bn1", "layer2.0.downsample.1", "layer4.2.bn2"]),
    "densenet121": (
        "parity_densenet121.json",
        [
            "features.norm0",
            "features.denseblock2.denselayer7.norm1",
            "features.transition3.norm",
            "features.denseblock4.denselayer16.norm2",
            "features.norm5",
        ],
    ),
    "densenet169": (
        "parity_densenet169.json",
        ["features.norm0", "features.denseblock3.denselayer32.norm1", "features.norm5"],
    ),
    "seresnext101_32x4d": (
        "parity_seresnext101.json",
        ["bn1", "layer1.0.downsample.1", "layer3.11.bn2", "layer4.2.bn3"],
    ),
    "legacy_seresnext101_32x4d": (
        "parity_seresnext101_cadene.json",
        ["layer0.bn1", "layer3.11.bn2", "layer4.2.bn3"],
    ),
    "convnext_nano": ("parity_convnext_nano.json", []),
    "convnext_tiny": ("parity_convnext_tiny.json", []),
}


def ours(name):
    """Hemora's name of a tensor: R. Cadene's become timm's."""
    for cadene, timms in [("layer0.", ""), (".se_module.", ".se."), ("last_linear.", "fc.")]:
        name = name.replace(cadene, timms)
    return name


def network(name, size, classes, layers, weights, targets, dtype):
    # R. Cadene's drops features at random by default.
    model = timm.create_model(name, num_classes=classes, drop_rate=0.0).to(dtype)
    names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    state = {
        name: torch.from_numpy(weights(ours(name), tuple(model.state_dict()[name].shape))).to(dtype)
        for name in names
    }
    model.load_state_dict(state, strict=False)
    model.eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(images(EVAL_BATCH, size)).to(dtype)).double().numpy()
    model.train()
    output = model(torch.from_numpy(images(TRAIN_BATCH, size)).to(dtype))
    loss = torch.nn.functional.cross_entropy(output, torch.tensor(targets))
    loss.backward()
    norms = {ours(name): p.grad.double().norm().item() for name, p in model.named_parameters()}
    after = model.state_dict()
    running = {
        ours(f"{layer}.{kind}"): after[f"{layer}.{kind}"][:8].double().tolist()
        for layer in layers
        for kind in ["running_mean", "running_var"]
    }
    first = {ours(name): state[name].flatten()[:4].tolist() for name in names[:1] + names[-1:]}
    return {
        "logits": logits,
        "loss": loss.item(),
        "norms": norms,
        "running": running,
        "first_values": first,
    }


def write_network(
    name, file=None, weights_name="formula", classes=CLASSES, weights=formula, targets=TARGETS
):
    layers = NETWORKS[name][1]
    exact, single = (
        network(name, SIZE, classes, layers, weights, targets, dtype)
        for dtype in [torch.float64, torch.float32]
    )
    batch_norm = {
        "eps": 1e-3 if "efficientnet" in name else 1e-5,
        "momentum": 0.1,
        "running": "new = 0.9 old + 0.1 batch, with the unbiased variance of the batch; "
        "the first eight channels after one forward pass in training mode",
    }
    write(
        file or NETWORKS[name][0],
        name,
        weights_name,
        SIZE,
        exact,
        single,
        targets,
        "cross entropy of class indices, mean over the batch",
        batch_norm if layers else None,
        "logits",
    )


def main():
    torch.manual_seed(0)
    for name in sys.argv[1:] or NETWORKS:
        write_network(name)


if __name__ == "__main__":
    main()
