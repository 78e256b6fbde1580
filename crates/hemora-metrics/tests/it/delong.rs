//! DeLong's and Obuchowski's variances against a reference that compares every pair.

use crate::support::{Items, items, reference, same};
use hemora_metrics::{Clusters, delong, delong_paired};

/// The formulas of the papers as they stand, without ranks.
const SCRIPT: &str = r#"
pos, neg = label == 1, label == 0
m, n = pos.sum(), neg.sum()
def parts(s):
    kernel = np.sign(s[pos][:, None] - s[neg][None, :]) / 2 + 0.5
    return kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)
(a, v10, v01), (b, w10, w01) = parts(score), parts(other)
s10, s01 = np.cov(v10, w10), np.cov(v01, w01)
s = s10 / m + s01 / n
result["plain"] = [a, np.sqrt(s[0, 0]), b, np.sqrt(s[1, 1])]
result["paired"] = [a - b, np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])]
def clustered(theta, x, y, phi, u, w):
    ids = np.unique(group)
    sums = lambda g, values, mean: np.array([(values[g == i] - mean).sum() for i in ids])
    x, y = sums(group[pos], x, theta), sums(group[neg], y, theta)
    u, w = sums(group[pos], u, phi), sums(group[neg], w, phi)
    i, i10, i01 = len(ids), len(np.unique(group[pos])), len(np.unique(group[neg]))
    s10 = i10 / ((i10 - 1) * m) * (x * u).sum()
    s01 = i01 / ((i01 - 1) * n) * (y * w).sum()
    s11 = i / (i - 1) * (x * w).sum()
    s11t = i / (i - 1) * (u * y).sum()
    return s10 / m + s01 / n + (s11 + s11t) / (m * n)
one = clustered(a, v10, v01, a, v10, v01)
two = clustered(b, w10, w01, b, w10, w01)
both = clustered(a, v10, v01, b, w10, w01)
result["clustered"] = [np.sqrt(one), np.sqrt(two), np.sqrt(one + two - 2 * both)]
"#;

#[test]
fn variances_agree_with_every_pair_compared() {
    for (seed, steps) in [(4, 0.0), (5, 40.0), (6, 5.0)] {
        let items = items(seed, 600, steps);
        let Some(expected) = reference(SCRIPT, &items) else { return };
        let Items { scores, others, labels, groups, .. } = &items;
        let clusters = Clusters::new(groups);
        let one = delong(scores, labels, None, 0.95).unwrap();
        let two = delong(others, labels, None, 0.95).unwrap();
        let ours = [one.auroc, one.standard_error, two.auroc, two.standard_error];
        same(&expected, "plain", &ours.map(Option::unwrap), 1e-12);
        let paired = delong_paired(scores, others, labels, None, 0.95).unwrap();
        let ours = [paired.difference, paired.standard_error];
        same(&expected, "paired", &ours.map(Option::unwrap), 1e-12);
        let one = delong(scores, labels, Some(&clusters), 0.95).unwrap();
        let two = delong(others, labels, Some(&clusters), 0.95).unwrap();
        let both = delong_paired(scores, others, labels, Some(&clusters), 0.95).unwrap();
        let ours = [one.standard_error, two.standard_error, both.standard_error];
        same(&expected, "clustered", &ours.map(Option::unwrap), 1e-12);
        assert!(one.low.unwrap() < one.auroc.unwrap() && one.high.unwrap() > one.auroc.unwrap());
    }
}
