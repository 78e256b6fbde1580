//! What is watched from epoch to epoch: the best score, and for how long it has not grown.

use serde::{Deserialize, Serialize};

/// When a score counts as grown, and what happens when it does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WatchOptions {
    /// A score has grown when it is higher than before by more than this.
    pub least_gain: f64,
    /// Epochs without growth after which the run stops, as Keras' `EarlyStopping`; `None` for
    /// never.
    pub patience: Option<u64>,
    /// Epochs without growth after which the rate is lowered, as Keras' `ReduceLROnPlateau`; `None`
    /// for never.
    pub plateau: Option<u64>,
    /// What the rate is then multiplied with.
    pub decay: f64,
}

/// The scores so far, as far as they decide what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Highest score.
    pub best: Option<f64>,
    /// The score from which growth is measured.
    mark: Option<f64>,
    /// Epochs since it grew.
    waited: u64,
    /// Epochs since it grew or the rate was lowered.
    flat: u64,
    /// How often the rate was lowered.
    lowered: i32,
    /// Whether the run has waited for long enough.
    pub stopped: bool,
}

impl Watch {
    /// Takes in the score of an epoch, where higher is better, and returns whether it is the best.
    /// Without a score nothing happens.
    pub fn observe(&mut self, score: Option<f64>, options: &WatchOptions) -> bool {
        let Some(score) = score else { return false };
        if self.mark.is_none_or(|mark| score > mark + options.least_gain) {
            (self.mark, self.waited, self.flat) = (Some(score), 0, 0);
        } else {
            self.waited += 1;
            self.flat += 1;
        }
        self.stopped = options.patience.is_some_and(|patience| self.waited >= patience);
        if options.plateau.is_some_and(|plateau| self.flat >= plateau) {
            self.flat = 0;
            self.lowered += 1;
        }
        let best = self.best.is_none_or(|best| score > best);
        if best {
            self.best = Some(score);
        }
        best
    }

    /// What the schedule's rate is multiplied with.
    pub fn rate_factor(&self, options: &WatchOptions) -> f64 {
        options.decay.powi(self.lowered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: WatchOptions =
        WatchOptions { least_gain: 0.1, patience: Some(4), plateau: Some(2), decay: 0.5 };

    #[test]
    fn the_rate_falls_on_a_plateau_and_the_run_stops_after_its_patience() {
        let mut watch = Watch::default();
        let mut seen = Vec::new();
        // 0.55 is the best but no growth of more than 0.1.
        for score in [0.5, 0.55, 0.5, 0.7, 0.7, 0.7, 0.7, 0.7] {
            let best = watch.observe(Some(score), &OPTIONS);
            seen.push((best, watch.rate_factor(&OPTIONS), watch.stopped));
        }
        let expected = [
            (true, 1.0, false),
            (true, 1.0, false),
            (false, 0.5, false),
            (true, 0.5, false),
            (false, 0.5, false),
            (false, 0.25, false),
            (false, 0.25, false),
            (false, 0.125, true),
        ];
        assert_eq!(seen, expected);
        assert_eq!(watch.best, Some(0.7));
    }

    #[test]
    fn without_a_score_or_patience_nothing_happens() {
        let mut watch = Watch::default();
        assert!(!watch.observe(None, &OPTIONS));
        assert_eq!(watch, Watch::default());
        let never = WatchOptions { patience: None, plateau: None, ..OPTIONS };
        for _ in 0..50 {
            watch.observe(Some(0.5), &never);
        }
        assert!(!watch.stopped && watch.rate_factor(&never) == 1.0);
    }
}
