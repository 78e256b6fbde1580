"""What `measure_million` does, as one writes it in Python: numpy and scikit-learn.

    python tools/peer_eval.py DATA --items N --repeats R

Reads the file that `measure_million` wrote, computes AUROC, average precision, log loss and Brier
score of the six labels, then R resamples of whole patients. A resample weighs every slice by how
often its patient was drawn, which is faster than copying slices. Prints seconds and figures as
JSON. `cargo xtask bench eval` runs it beside Hemora.
"""

import argparse
import json
import time

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score


def figures(truth, probabilities, weights=None):
    """AUROC, average precision, log loss and Brier score."""
    return [
        roc_auc_score(truth, probabilities, sample_weight=weights),
        average_precision_score(truth, probabilities, sample_weight=weights),
        log_loss(truth, probabilities, sample_weight=weights),
        brier_score_loss(truth, probabilities, sample_weight=weights),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    arguments = parser.parse_args()
    n = arguments.items
    with open(arguments.data, "rb") as file:
        patients = np.fromfile(file, "<u4", n)
        truth = np.fromfile(file, np.uint8, 6 * n).reshape(6, n)
        probabilities = np.fromfile(file, "<f8", 6 * n).reshape(6, n)
    start, cpu = time.perf_counter(), time.process_time()
    values = [figures(t, p) for t, p in zip(truth, probabilities)]
    metrics_s, metrics_cpu_s = time.perf_counter() - start, time.process_time() - cpu
    start, cpu = time.perf_counter(), time.process_time()
    rng = np.random.default_rng(0)
    groups = int(patients.max()) + 1
    aurocs = []
    for _ in range(arguments.repeats):
        counts = np.bincount(rng.integers(0, groups, groups), minlength=groups)
        weights = counts[patients].astype(float)
        aurocs.append([figures(t, p, weights)[0] for t, p in zip(truth, probabilities)])
    np.quantile(aurocs, [0.025, 0.975], axis=0)
    print(json.dumps({
        "metrics_s": metrics_s,
        "metrics_cpu_s": metrics_cpu_s,
        "bootstrap_s": time.perf_counter() - start,
        "bootstrap_cpu_s": time.process_time() - cpu,
        "repeats": arguments.repeats,
        "values": values,
    }))


if __name__ == "__main__":
    main()
