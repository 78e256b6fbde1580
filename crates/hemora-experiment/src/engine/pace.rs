//! How long the rest will take, by how long the steps so far took.

/// Work that is done and left, in any one unit, and the seconds that it took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace {
    done: f64,
    seconds: f64,
}

impl Pace {
    /// Counts a step that ran.
    pub(crate) fn add(&mut self, work: f64, seconds: f64) {
        self.done += work;
        self.seconds += seconds;
    }

    /// Seconds that `left` will take at the pace so far; `None` where the work is not known.
    pub(crate) fn seconds_for(&self, left: f64) -> Option<f64> {
        (self.done > 0.0).then(|| left * self.seconds / self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_goes_on_at_the_pace_so_far() {
        let mut pace = Pace::default();
        assert_eq!(pace.seconds_for(3.0), None);
        pace.add(2.0, 10.0);
        assert_eq!(pace.seconds_for(3.0), Some(15.0));
    }
}
