//! The metrics against scikit-learn and scipy, where an interpreter that has them is present.

use crate::support::{Items, items, reference, same};
use hemora_metrics::{
    Calibrator, Confusion, Isotonic, Ranked, auroc, auroc_weighted, average_precision,
    average_precision_weighted, brier, brier_weighted, clopper_pearson, competition_log_loss,
    decision_curve, expected_calibration_error, fit_platt, fit_temperature, log_loss,
    log_loss_weighted, reliability, wilson,
};

const SCRIPT: &str = r#"
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import (accuracy_score, average_precision_score, brier_score_loss, f1_score,
                             log_loss, matthews_corrcoef, precision_recall_curve, precision_score,
                             recall_score, roc_auc_score, roc_curve)
call = score >= 0.5
rows, truth = score[:len(score) // 6 * 6].reshape(-1, 6), label[:len(label) // 6 * 6].reshape(-1, 6)
clipped = np.clip(rows, 1e-15, 1 - 1e-15)
nats = -(truth * np.log(clipped) + (1 - truth) * np.log1p(-clipped))
result["ranking"] = [roc_auc_score(label, score),
                     roc_auc_score(label, score, sample_weight=weight),
                     average_precision_score(label, score),
                     average_precision_score(label, score, sample_weight=weight)]
result["probability"] = [log_loss(label, score), log_loss(label, score, sample_weight=weight),
                         brier_score_loss(label, score),
                         brier_score_loss(label, score, sample_weight=weight),
                         np.average(nats, axis=1, weights=[1, 1, 1, 1, 1, 2]).mean()]
result["decisions"] = [accuracy_score(label, call), recall_score(label, call),
                       recall_score(1 - label, ~call), precision_score(label, call),
                       precision_score(1 - label, ~call), f1_score(label, call),
                       matthews_corrcoef(label, call)]
fpr, tpr, thresholds = roc_curve(label, score, sample_weight=weight, drop_intermediate=False)
result["fpr"], result["tpr"], result["roc thresholds"] = fpr, tpr, thresholds[1:]
precision, recall, _ = precision_recall_curve(label, score)
result["precision"], result["recall"] = precision[-2::-1], recall[-2::-1]
result["share"], result["mean"] = calibration_curve(label, score, n_bins=10)
bins = np.digitize(score, np.linspace(0, 1, 11)[1:-1], right=True)
result["error"] = sum(weight[bins == b].sum() / weight.sum()
                      * abs(np.average(score[bins == b], weights=weight[bins == b])
                            - np.average(label[bins == b], weights=weight[bins == b]))
                      for b in range(10) if weight[bins == b].sum() > 0)
result["net benefit"] = [((score >= t) & (label == 1)).mean()
                         - ((score >= t) & (label == 0)).mean() * t / (1 - t)
                         for t in (0.05, 0.25, 0.5, 0.9)]
result["isotonic"] = IsotonicRegression(out_of_bounds="clip").fit(score, label).predict(other)
odds = np.log(np.clip(score, 1e-7, 1 - 1e-7)) - np.log1p(-np.clip(score, 1e-7, 1 - 1e-7))
loss = lambda t: np.mean(np.logaddexp(0, odds / np.exp(t)) - label * odds / np.exp(t))
result["temperature"] = np.exp(minimize_scalar(loss, bracket=(-1, 1), tol=1e-12).x)
a, b = _sigmoid_calibration(odds, label)
result["platt"] = 1 / (1 + np.exp(a * odds + b))
hits, total = int((call & (label == 1)).sum()), int(label.sum())
for name in ("wilson", "exact"):
    limits = binomtest(hits, total).proportion_ci(0.95, name)
    result[name] = [limits.low, limits.high]
"#;

#[test]
fn metrics_agree_with_scikit_learn() {
    // Steps between possible scores: none, a few ties, almost all tied.
    for (seed, steps) in [(1, 0.0), (2, 50.0), (3, 4.0)] {
        let items = items(seed, 1200, steps);
        let Some(expected) = reference(SCRIPT, &items) else { return };
        let Items { scores, others, labels, weights, .. } = &items;
        let exactly = |name: &str, ours: &[f64]| same(&expected, name, ours, 1e-12);
        let unwrap = |values: &[Option<f64>]| -> Vec<f64> {
            values.iter().map(|value| value.unwrap()).collect()
        };
        let ours = [
            auroc(scores, labels).unwrap(),
            auroc_weighted(scores, labels, weights).unwrap(),
            average_precision(scores, labels).unwrap(),
            average_precision_weighted(scores, labels, weights).unwrap(),
        ];
        exactly("ranking", &unwrap(&ours));
        let ours = [
            log_loss(scores, labels).unwrap(),
            log_loss_weighted(scores, labels, weights).unwrap(),
            brier(scores, labels).unwrap(),
            brier_weighted(scores, labels, weights).unwrap(),
            competition_log_loss(scores.as_chunks().0, labels.as_chunks().0).unwrap(),
        ];
        exactly("probability", &unwrap(&ours));
        let counts = Confusion::at(scores, labels, 0.5).unwrap();
        let ours = [
            counts.accuracy(),
            counts.sensitivity(),
            counts.specificity(),
            counts.positive_predictive_value(),
            counts.negative_predictive_value(),
            counts.f1(),
            counts.matthews(),
        ];
        exactly("decisions", &unwrap(&ours));

        // scikit-learn leaves out items of weight 0, whose points repeat others.
        let kept: Vec<usize> = (0..scores.len()).filter(|&item| weights[item] > 0.0).collect();
        let of = |values: &[f64]| kept.iter().map(|&item| values[item]).collect::<Vec<_>>();
        let truth: Vec<bool> = kept.iter().map(|&item| labels[item]).collect();
        let weighted = Ranked::new(&of(scores), &truth, Some(&of(weights))).unwrap();
        let roc = weighted.roc().unwrap();
        exactly("fpr", &roc.iter().map(|at| at.false_positive_rate).collect::<Vec<_>>());
        exactly("tpr", &roc.iter().map(|at| at.sensitivity).collect::<Vec<_>>());
        exactly("roc thresholds", &roc[1..].iter().map(|at| at.threshold).collect::<Vec<_>>());
        let ranked = Ranked::new(scores, labels, None).unwrap();
        let curve = ranked.precision_recall().unwrap();
        exactly("precision", &curve.iter().map(|at| at.precision).collect::<Vec<_>>());
        exactly("recall", &curve.iter().map(|at| at.recall).collect::<Vec<_>>());
        let bins = reliability(scores, labels, None, 10).unwrap();
        exactly("share", &bins.iter().map(|bin| bin.share_positive).collect::<Vec<_>>());
        exactly("mean", &bins.iter().map(|bin| bin.mean_probability).collect::<Vec<_>>());
        let bins = reliability(scores, labels, Some(weights), 10).unwrap();
        exactly("error", &[expected_calibration_error(&bins).unwrap()]);
        let curve = decision_curve(&ranked, &[0.05, 0.25, 0.5, 0.9]).unwrap().unwrap();
        exactly("net benefit", &curve.iter().map(|at| at.model).collect::<Vec<_>>());

        let map = Isotonic::fit(scores, labels).unwrap().unwrap();
        exactly("isotonic", &others.iter().map(|&p| map.apply(p)).collect::<Vec<_>>());
        // The references search until the loss no longer changes: half of the digits.
        let temperature = fit_temperature(scores, labels).unwrap().unwrap();
        same(&expected, "temperature", &[temperature], 1e-6);
        let (slope, intercept) = fit_platt(scores, labels).unwrap().unwrap();
        let platt = Calibrator::Platt { slope, intercept };
        let ours: Vec<f64> = scores.iter().map(|&p| platt.apply(p)).collect();
        same(&expected, "platt", &ours, 1e-4);
        let (hits, all) = (counts.true_positives, counts.true_positives + counts.false_negatives);
        for (name, interval) in [
            ("wilson", wilson(hits, all, 0.95).unwrap()),
            ("exact", clopper_pearson(hits, all, 0.95).unwrap()),
        ] {
            same(&expected, name, &[interval.low.unwrap(), interval.high.unwrap()], 1e-9);
        }
    }
}
