//! Operating points of the items of one level, by rules.

use crate::certainty::extremes;
use crate::{Confusion, LevelSet, MetricError, OperatingPoint, OperatingRule, Origin, Ranked};

impl LevelSet {
    /// The operating point of each rule for each label: none where there are too few items for it. What
    /// rules promise of new groups is chosen on one item of a class for each group.
    ///
    /// # Errors
    /// [`MetricError`] if a probability is not in 0 to 1, or a rule is out of bounds.
    pub fn operating_points(
        &self,
        rules: &[OperatingRule],
        calibrated: bool,
        origin: &Origin,
    ) -> Result<Vec<OperatingPoint>, MetricError> {
        let mut points = Vec::new();
        for column in &self.columns {
            let ranked = Ranked::new(&column.probabilities, &column.truth, None)?;
            let (units, _) = extremes(column, &self.clusters);
            let by_group = Ranked::new(&units.probabilities, &units.truth, None)?;
            for &rule in rules {
                let ranked = if rule.is_by_group() { &by_group } else { &ranked };
                let Some(threshold) = rule.choose(ranked)? else { continue };
                let counts = Confusion::at(&column.probabilities, &column.truth, threshold)?;
                let chosen = !matches!(rule, OperatingRule::Fixed(_));
                points.push(OperatingPoint {
                    name: rule.to_string(),
                    label: column.label,
                    level: self.level,
                    threshold,
                    rule,
                    calibrated,
                    sensitivity: counts.sensitivity().filter(|_| chosen),
                    specificity: counts.specificity().filter(|_| chosen),
                    positives: counts.true_positives + counts.false_negatives,
                    origin: chosen.then(|| origin.clone()),
                });
            }
        }
        Ok(points)
    }
}
