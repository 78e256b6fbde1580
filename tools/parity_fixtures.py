"""Writes the figures that hemora-train's networks are compared with.

Run by hand when a network changes, never by the tests:

    python -m venv /tmp/parity
    /tmp/parity/bin/pip install torch==2.11.0 timm==1.0.31 keras==3.15.1 safetensors numpy
    /tmp/parity/bin/python tools/parity_fixtures.py [--imagenet efficientnet_lite0_imagenet.safetensors]

It writes crates/hemora-train/tests/fixtures/parity_*.json and records the versions in them.
timm is the truth for the networks of parity_timm.py, Keras (torch backend) for those of the seed
study.
The formulas for images and weights stand in parity_truth.py.
"""

import argparse
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import numpy as np  # noqa: E402
import parity_timm  # noqa: E402
import torch  # noqa: E402
from keras.src.backend.common import dtypes  # noqa: E402
from parity_truth import EVAL_BATCH, TRAIN_BATCH, formula, images, write  # noqa: E402

# Outside TensorFlow, Keras computes losses and batch normalisation of float64 in float32.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


# --- the networks of the seed study, Keras --------------------------------------------------------


def simple_nn(size):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((size, size, 3)),
            layers.Flatten(),
            layers.Dense(128, activation="relu", name="dense_1"),
            layers.Dense(1, activation="sigmoid", name="dense_2"),
        ]
    )


def deep_cnn(size):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((size, size, 3)),
            layers.Conv2D(32, 5, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu", name="dense_1"),
            layers.Dense(1, activation="sigmoid", name="dense_2"),
        ]
    )


def resnet50(size):
    """keras.applications' ResNet50 with the batch normalisation of keras-applications 1.0.8."""
    model = keras.applications.ResNet50(weights=None, classes=2, input_shape=(size, size, 3))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.epsilon, layer.momentum = 1e-3, 0.99
    for stage, stride in [(2, 1), (3, 2), (4, 2), (5, 2)]:
        block = f"conv{stage}_block1"
        for name in [f"{block}_1_conv", f"{block}_0_conv"]:
            assert model.get_layer(name).strides == (stride, stride), name
        assert model.get_layer(f"{block}_2_conv").strides == (1, 1)
    return model


def node(layer):
    """Hemora's name of a Keras layer."""
    return {"conv1_conv": "conv1", "conv1_bn": "bn1"}.get(layer.name, layer.name)


def keras_tensors(model):
    """Hemora's name, Keras' variable, and the shape in PyTorch's layout of every tensor."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            kinds = [
                ("weight", layer.gamma),
                ("bias", layer.beta),
                ("running_mean", layer.moving_mean),
                ("running_var", layer.moving_variance),
            ]
        elif layer.weights:
            kinds = [("weight", layer.kernel), ("bias", layer.bias)]
        else:
            continue
        for kind, variable in kinds:
            shape = tuple(variable.shape)
            if len(shape) == 4:
                shape = (shape[3], shape[2], shape[0], shape[1])
            elif len(shape) == 2:
                shape = (shape[1], shape[0])
            yield f"{node(layer)}.{kind}", variable, shape


def to_keras(name, values, flattened):
    """From PyTorch's layout to Keras'. `flattened`: the [rows, columns, channels] before dense_1."""
    if values.ndim == 4:
        return values.transpose(2, 3, 1, 0)
    if values.ndim == 2 and name == "dense_1.weight":
        rows, columns, channels = flattened
        ours = values.reshape(-1, channels, rows, columns)
        return ours.transpose(2, 3, 1, 0).reshape(rows * columns * channels, -1)
    return values.T if values.ndim == 2 else values


def flattened_shape(model):
    for layer in model.layers:
        if isinstance(layer, keras.layers.Flatten):
            return tuple(layer.input.shape[1:])
    return None


def seed_network(build, size, targets, floatx):
    keras.utils.clear_session()
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    model = build(size)
    variables, first = {}, {}
    for name, variable, shape in keras_tensors(model):
        values = formula(name, shape)
        variable.assign(to_keras(name, values, flattened_shape(model)).astype(floatx))
        variables[name] = variable
        if name in ["conv1.weight", "conv_1.weight", "dense_1.weight", "bn1.running_var"]:
            first[name] = values.flatten()[:4].tolist()
    x = images(TRAIN_BATCH, size).transpose(0, 2, 3, 1).astype(floatx)

    # The last layer's logits: its own inputs times its kernel.
    last = model.layers[-1]
    features = keras.Model(model.inputs, last.input)
    with torch.no_grad():
        inputs = features(x[:EVAL_BATCH], training=False).numpy().astype(np.float64)
        outputs = model(x[:EVAL_BATCH], training=False).numpy().astype(np.float64)
    logits = inputs @ last.kernel.numpy().astype(np.float64) + last.bias.numpy()
    assert np.allclose(keras.ops.convert_to_numpy(last.activation(logits)), outputs, atol=1e-6)

    answer = model(x, training=True)
    if outputs.shape[1] == 2:
        loss_of = keras.losses.CategoricalCrossentropy(dtype=floatx)
        truth = np.eye(2, dtype=floatx)[targets]
    else:
        loss_of = keras.losses.BinaryCrossentropy(dtype=floatx)
        truth = np.array(targets, dtype=floatx)[:, None]
    loss = loss_of(truth, answer)
    loss.backward()
    trainable = {id(variable) for variable in model.trainable_variables}
    norms = {
        name: variable.value.grad.double().norm().item()
        for name, variable in variables.items()
        if id(variable) in trainable
    }
    layers = ["bn1", "conv2_block1_1_bn", "conv3_block1_0_bn", "conv5_block3_3_bn"]
    running = {
        f"{layer}.{kind}": variables[f"{layer}.{kind}"].numpy()[:8].tolist()
        for layer in layers
        for kind in ["running_mean", "running_var"]
        if f"{layer}.{kind}" in variables
    }
    return {
        "logits": logits,
        "outputs": outputs,
        "loss": loss.item(),
        "norms": norms,
        "running": running,
        "first_values": first,
    }


def write_seed_network(file, network, build, size, targets):
    exact, single = (
        seed_network(build, size, targets, floatx) for floatx in ["float64", "float32"]
    )
    batch_norm, softmax = None, network == "resnet50"
    if softmax:
        batch_norm = {
            "eps": 1e-3,
            "momentum": 0.99,
            "running": "new = 0.99 old + 0.01 batch, with the biased variance of the batch "
            "(Keras 3; TensorFlow's fused kernel takes the unbiased one); "
            "the first eight channels after one forward pass in training mode",
        }
    loss_name = "categorical" if softmax else "binary"
    write(
        file,
        network,
        "formula",
        size,
        exact,
        single,
        targets,
        f"{loss_name} cross entropy, mean over the batch",
        batch_norm,
        "softmax" if softmax else "sigmoid",
    )


def check_parameter_counts():
    """The counts at the seed study's image size, docs/references.md#seed-networks."""
    for build, expected in [(simple_nn, 25_166_081), (deep_cnn, 30_536_385), (resnet50, 23_538_690)]:
        trainable = sum(int(np.prod(v.shape)) for v in build(256).trainable_variables)
        assert trainable == expected, (build.__name__, trainable)
    other = sum(int(np.prod(v.shape)) for v in resnet50(256).non_trainable_variables)
    assert other == 53_120, other


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--imagenet", type=Path, help="EfficientNet-Lite0 weights, safetensors")
    imagenet = arguments.parse_args().imagenet
    torch.manual_seed(0)
    check_parameter_counts()
    for name in parity_timm.NETWORKS:
        parity_timm.write_network(name)
    if imagenet:
        from safetensors.numpy import load_file

        tensors = load_file(imagenet)
        parity_timm.write_network(
            "tf_efficientnet_lite0",
            "parity_lite0_imagenet.json",
            "efficientnet_lite0_imagenet.safetensors",
            1000,
            lambda name, shape: tensors[name].reshape(shape).copy(),
            [1, 17, 203, 999],
        )
    write_seed_network("parity_resnet50.json", "resnet50", resnet50, 64, [0, 1, 1, 0])
    write_seed_network("parity_simple_nn.json", "simple-nn", simple_nn, 32, [0, 1, 1, 0])
    write_seed_network("parity_deep_cnn.json", "deep-cnn", deep_cnn, 32, [0, 1, 1, 0])


if __name__ == "__main__":
    main()
