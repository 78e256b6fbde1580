"""Writes the losses of five steps in Keras, and what each optimizer makes of the same gradients.

Run by hand when a network or an optimizer changes, with the environment of parity_fixtures.py:

    /tmp/parity/bin/python tools/parity_steps.py

It writes crates/hemora-train/tests/fixtures/steps_*.json and optimizers.json.

Step s (from 0) of a network trains on images 4 s … 4 s + 3 of parity_truth.py's formula with the
targets 0, 1, 1, 0 turned by s. `losses` has the loss of each of five steps before its weights move,
and then the loss of the first batch with the weights after all five, in training mode. float64 is
the truth, `float32` is what Keras gives in single precision.

The optimizers move two weights from 1 and -2; the gradients of step s (from 1) are sin(s) and
0.1 cos(s). Every optimizer is made with its library's own defaults, but for the names that say
otherwise (docs/references.md#seed-networks).
"""

import json
import os
import platform
from importlib.metadata import version

import numpy as np

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import torch  # noqa: E402
from parity_fixtures import (  # noqa: E402
    deep_cnn,
    flattened_shape,
    keras_tensors,
    resnet50,
    simple_nn,
    to_keras,
)
from parity_truth import FOLDER, TRAIN_BATCH, formula, images  # noqa: E402

STEPS = 5
TARGETS = [0, 1, 1, 0]


def five_steps(build, size, rate, floatx):
    keras.utils.clear_session()
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)
    model = build(size)
    for name, variable, shape in keras_tensors(model):
        values = to_keras(name, formula(name, shape), flattened_shape(model))
        variable.assign(values.astype(floatx))
    optimizer = keras.optimizers.Adadelta(learning_rate=rate, rho=0.95, epsilon=1e-7)
    units = model.output_shape[1]
    everything = images(STEPS * TRAIN_BATCH, size).transpose(0, 2, 3, 1).astype(floatx)
    losses = []
    for step in range(STEPS + 1):
        batch = step % STEPS
        x = everything[batch * TRAIN_BATCH : (batch + 1) * TRAIN_BATCH]
        targets = np.roll(TARGETS, batch)
        answer = model(x, training=True)
        if units == 2:
            loss_of = keras.losses.CategoricalCrossentropy(dtype=floatx)
            truth = np.eye(2, dtype=floatx)[targets]
        else:
            loss_of = keras.losses.BinaryCrossentropy(dtype=floatx)
            truth = targets.astype(floatx)[:, None]
        loss = loss_of(truth, answer)
        losses.append(float(f"{loss.item():.9g}"))
        model.zero_grad()
        loss.backward()
        variables = model.trainable_variables
        with torch.no_grad():
            optimizer.apply([variable.value.grad for variable in variables], variables)
    return losses


def optimizer_steps(make, keras_way):
    start = np.array([1.0, -2.0])
    gradients = [np.array([np.sin(s), 0.1 * np.cos(s)]) for s in range(1, STEPS + 1)]
    if keras_way:
        keras.config.set_floatx("float64")
        variable = keras.Variable(start, dtype="float64")
        optimizer = make()
        for gradient in gradients:
            optimizer.apply([torch.tensor(gradient)], [variable])
        return variable.numpy().tolist(), float(optimizer.learning_rate)
    weight = torch.nn.Parameter(torch.tensor(start))
    optimizer = make([weight])
    for gradient in gradients:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
    return weight.detach().numpy().tolist(), optimizer.param_groups[0]["lr"]


def optimizers():
    of_keras = keras.optimizers
    made = {
        "adamw": (torch.optim.AdamW, False),
        "adam": (torch.optim.Adam, False),
        "adadelta": (torch.optim.Adadelta, False),
        "sgd": (torch.optim.SGD, False),
        "momentum": (lambda weights: torch.optim.SGD(weights, lr=0.01, momentum=0.9), False),
        "adamw-keras": (of_keras.AdamW, True),
        "adam-keras": (of_keras.Adam, True),
        "sgd-keras": (of_keras.SGD, True),
        "adadelta-keras": (lambda: of_keras.Adadelta(learning_rate=1.0), True),
        "adadelta-tf-keras": (of_keras.Adadelta, True),
    }
    steps = {name: optimizer_steps(*how) for name, how in made.items()}
    return {name: {"weights": weights, "rate": rate} for name, (weights, rate) in steps.items()}


def write_optimizers(about):
    found = {**about, "optimizers": optimizers()}
    (FOLDER / "optimizers.json").write_text(json.dumps(found, indent=1) + "\n")
    print(found["optimizers"])


def main():
    versions = {
        "python": platform.python_version(),
        **{package: version(package) for package in ["torch", "keras", "numpy"]},
    }
    about = {"about": "made by tools/parity_steps.py, whose head has the formulas", **versions}
    write_optimizers(about)
    for network, build, size in [
        ("simple_nn", simple_nn, 32),
        ("deep_cnn", deep_cnn, 32),
        ("resnet50", resnet50, 64),
    ]:
        found = {**about, "image_size": size}
        for name, rate in [("adadelta-keras", 1.0), ("adadelta-tf-keras", 0.001)]:
            found[name] = {
                floatx: five_steps(build, size, rate, floatx) for floatx in ["float64", "float32"]
            }
            print(network, name, found[name])
        (FOLDER / f"steps_{network}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
