//! Windows of series to train on: a stretch of slices, perhaps every second one, perhaps backwards.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Fewer slices than this are all read: leaving some out would leave too little.
const FEWEST_TO_STRIDE: usize = 11;

/// The shortest window of a batch in that of its longest, three quarters: the winner fills windows
/// up with zeros, which recurrent layers, norms and attention would all take for slices.
const ALIKE: (usize, usize) = (3, 4);

/// How windows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Most slices.
    pub slices: usize,
    /// Longest step from slice to slice.
    pub stride: usize,
}

impl Window {
    /// Fewer slices than this are no batch: batch norms take statistics of them.
    pub const FEWEST_OF_BATCH: usize = 8;

    /// A window of the slices `rows`: half of the windows step by more than one slice, half are read
    /// backwards.
    fn draw(self, rows: &[usize], random: &mut ChaCha8Rng) -> Vec<usize> {
        let mut rows = rows.to_vec();
        if rows.len() >= FEWEST_TO_STRIDE && self.stride > 1 && random.random_bool(0.5) {
            let step = random.random_range(2..=self.stride);
            let skipped = random.random_range(0..step);
            rows = rows.into_iter().skip(skipped).step_by(step).collect();
        }
        let start = random.random_range(0..=rows.len().saturating_sub(self.slices));
        rows = rows.into_iter().skip(start).take(self.slices).collect();
        if random.random_bool(0.5) {
            rows.reverse();
        }
        rows
    }

    /// The windows of an epoch, a batch after the other: one of each of `series`, the slices of a
    /// series from the lowest. Those of a batch are alike in length, and cut at random to that of the
    /// shortest. They follow from `seed` and `epoch` alone; without strides every epoch has as many
    /// batches and slices.
    pub fn epoch<R: AsRef<[usize]>>(
        self,
        series: &[R],
        batch: usize,
        (seed, epoch): (u64, u64),
    ) -> Vec<Vec<Vec<usize>>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(epoch);
        let mut order: Vec<&[usize]> = series.iter().map(AsRef::as_ref).collect();
        order.shuffle(&mut random);
        let windows: Vec<Vec<usize>> =
            order.iter().map(|rows| self.draw(rows, &mut random)).collect();
        let mut batches = alike(windows, batch);
        for batch in &mut batches {
            let shortest = batch.iter().map(Vec::len).min().unwrap_or(0);
            for window in batch {
                let start = random.random_range(0..=window.len() - shortest);
                *window = window[start..][..shortest].to_vec();
            }
        }
        batches.shuffle(&mut random);
        batches
    }
}

/// Batches of at most `most` windows that are [`ALIKE`] in length.
fn alike(mut windows: Vec<Vec<usize>>, most: usize) -> Vec<Vec<Vec<usize>>> {
    windows.sort_by_key(|window| std::cmp::Reverse(window.len()));
    let mut batches: Vec<Vec<Vec<usize>>> = Vec::new();
    for window in windows {
        match batches.last_mut() {
            Some(batch)
                if batch.len() < most && ALIKE.1 * window.len() >= ALIKE.0 * batch[0].len() =>
            {
                batch.push(window);
            }
            _ => batches.push(vec![window]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { slices: 24, stride: 2 };

    #[test]
    fn windows_are_even_stretches_of_both_directions() {
        let rows: Vec<usize> = (100..160).collect();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut steps, mut starts) = ([0; 2], [0; 60]);
        for _ in 0..400 {
            let window = WINDOW.draw(&rows, &mut random);
            assert_eq!(window.len(), 24);
            let step = window[1] as i64 - window[0] as i64;
            assert!(window.windows(2).all(|pair| pair[1] as i64 - pair[0] as i64 == step));
            assert!([1, 2].contains(&step.abs()), "{step}");
            steps[usize::from(step > 0)] += 1;
            starts[window[0].min(window[23]) - 100] += 1;
        }
        assert!(steps.iter().all(|count| *count > 150), "{steps:?}");
        assert!(starts[0] > 0 && starts[36] > 0 && starts[37..] == [0; 23], "{starts:?}");
    }

    #[test]
    fn short_series_are_read_whole() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for length in [1, 2, 10] {
            let rows: Vec<usize> = (0..length).collect();
            for _ in 0..20 {
                let mut window = WINDOW.draw(&rows, &mut random);
                window.sort_unstable();
                assert_eq!(window, rows);
            }
        }
    }

    /// Series of such lengths, whose slices are numbered one after the other.
    fn series(lengths: &[usize]) -> Vec<Vec<usize>> {
        let mut next = 0;
        let mut rows = |length: &usize| {
            next += length;
            (next - length..next).collect()
        };
        lengths.iter().map(&mut rows).collect()
    }

    #[test]
    fn epochs_hold_every_series_once_and_differ() {
        let series = series(&[30, 5, 12, 3]);
        let of = |number| WINDOW.epoch(&series, 3, (7, number));
        let first = of(0);
        let name = |row: usize| series.iter().position(|rows| rows.contains(&row));
        let mut seen: Vec<_> = first.iter().flatten().map(|rows| name(rows[0])).collect();
        seen.sort_unstable();
        assert_eq!(seen, [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(of(0), first);
        assert_ne!(of(1), first);
    }

    #[test]
    fn without_strides_every_epoch_has_as_many_batches_and_slices() {
        let series = series(&[30, 5, 12, 3, 24, 20, 19, 60, 7]);
        let count = |number| {
            let batches = Window { slices: 24, stride: 1 }.epoch(&series, 2, (7, number));
            let slices: usize = batches.iter().flatten().map(Vec::len).sum();
            (batches.len(), slices)
        };
        let first = count(0);
        assert!((1..30).all(|number| count(number) == first));
    }

    #[test]
    fn windows_of_a_batch_are_cut_to_its_shortest_and_lose_a_quarter_at_most() {
        let windows = [24, 6, 17, 24, 18, 24, 5].map(|length| (0..length).collect::<Vec<_>>());
        let lengths: Vec<Vec<usize>> = alike(windows.to_vec(), 3)
            .iter()
            .map(|batch| batch.iter().map(Vec::len).collect())
            .collect();
        assert_eq!(lengths, [vec![24, 24, 24], vec![18, 17], vec![6, 5]]);
        let series = series(&[24, 20, 22]);
        for number in 0..20 {
            for batch in (Window { slices: 24, stride: 1 }).epoch(&series, 8, (7, number)) {
                let lengths: Vec<usize> = batch.iter().map(Vec::len).collect();
                assert_eq!(lengths, [20; 3]);
            }
        }
    }
}
