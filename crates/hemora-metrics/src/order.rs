//! Scores in descending order: one radix sort that every ranking figure shares.

use crate::MetricError;
use crate::error::check_scores;

/// Bits of a digit: 2048 buckets, whose ends stay in the cache.
const DIGIT: u32 = 11;
/// Digits of a key.
const DIGITS: usize = 64_usize.div_ceil(DIGIT as usize);
/// Fewer scores are sorted by comparing.
const FEW: usize = 1 << 12;

/// Items with their scores, the highest score first; equal scores in the order of the items.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order(Vec<Entry>);

/// An item and its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Entry {
    /// Falls while the score grows; integers are sorted faster than floats are compared.
    key: u64,
    item: u32,
}

impl Entry {
    fn new(item: u32, score: f64) -> Self {
        // −0 + 0 is 0, so that both are one score.
        let bits = (score + 0.0).to_bits();
        let ascending = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        Self { key: !ascending, item }
    }

    /// Index of the item.
    pub(crate) fn item(self) -> usize {
        self.item as usize
    }

    /// The score; 0 for −0.
    pub(crate) fn score(self) -> f64 {
        let ascending = !self.key;
        f64::from_bits(if ascending >> 63 == 1 { ascending ^ 1 << 63 } else { !ascending })
    }

    /// Whether both have one score.
    pub(crate) fn ties(self, other: Self) -> bool {
        self.key == other.key
    }

    fn digit(self, number: usize) -> usize {
        (self.key >> (number as u32 * DIGIT)) as usize & ((1 << DIGIT) - 1)
    }
}

impl Order {
    /// Sorts items by `scores`.
    ///
    /// # Errors
    /// [`MetricError::NotANumber`] if a score is not a number, [`MetricError::Option`] with more
    /// than 2³² scores.
    pub(crate) fn descending(scores: &[f64]) -> Result<Self, MetricError> {
        check_scores(scores)?;
        if u32::try_from(scores.len()).is_err() {
            let (option, value) = ("number of scores", scores.len().to_string());
            return Err(MetricError::Option { option, value, expected: "at most 4294967295" });
        }
        let entry = |(item, &score)| Entry::new(item, score);
        let mut entries: Vec<Entry> = (0..).zip(scores).map(entry).collect();
        if entries.len() < FEW {
            entries.sort_unstable();
        } else {
            radix_sort(&mut entries);
        }
        Ok(Self(entries))
    }

    /// The items in their order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
    }
}

/// Sorts by the lowest digit first, each time keeping the order of the digits before. Digits that
/// all keys share, as the last ones of what was single precision, cost nothing.
fn radix_sort(entries: &mut Vec<Entry>) {
    let mut counts = vec![[0usize; 1 << DIGIT]; DIGITS];
    for entry in entries.iter() {
        for (number, counts) in counts.iter_mut().enumerate() {
            counts[entry.digit(number)] += 1;
        }
    }
    let mut sorted = vec![Entry::default(); entries.len()];
    for (number, counts) in counts.iter_mut().enumerate() {
        if counts.contains(&entries.len()) {
            continue;
        }
        let mut next = 0;
        for count in counts.iter_mut() {
            next += std::mem::replace(count, next);
        }
        for &entry in entries.iter() {
            let slot = &mut counts[entry.digit(number)];
            sorted[*slot] = entry;
            *slot += 1;
        }
        std::mem::swap(entries, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn items(scores: &[f64]) -> Vec<usize> {
        Order::descending(scores).unwrap().entries().iter().map(|entry| entry.item()).collect()
    }

    #[test]
    fn the_order_is_that_of_the_numbers() {
        let scores = [0.5, f64::INFINITY, -1.0, 0.0, -0.0, f64::NEG_INFINITY, 1e-300, 0.5];
        assert_eq!(items(&scores), [1, 0, 7, 6, 3, 4, 2, 5]);
        let order = Order::descending(&scores).unwrap();
        for entry in order.entries() {
            assert_eq!(entry.score(), scores[entry.item()]);
        }
        assert!(order.entries()[4].ties(order.entries()[5]), "0 and −0 are one score");
        let error = Order::descending(&[0.0, f64::NAN]).unwrap_err();
        assert_eq!(error, MetricError::NotANumber { index: 1 });
        assert_eq!(items(&[]), [0usize; 0]);
    }

    #[test]
    fn many_scores_are_sorted_as_few_are() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for kind in 0..4 {
            let mut score = || match kind {
                0 => rng.random::<f64>(),
                1 => f64::from(rng.random::<f64>() as f32),
                2 => f64::from(rng.random_range(0..5u8)) / 4.0,
                _ => (rng.random::<f64>() - 0.5) * 10f64.powi(rng.random_range(-300..300)),
            };
            let scores: Vec<f64> = (0..3 * FEW).map(|_| score()).collect();
            let mut expected: Vec<usize> = (0..scores.len()).collect();
            expected.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
            assert_eq!(items(&scores), expected, "kind {kind}");
        }
    }
}
