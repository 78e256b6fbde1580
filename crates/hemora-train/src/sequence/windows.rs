//! Windows of series to train on: a stretch of slices, perhaps every second one, perhaps backwards.

use hemora_ct::LABEL_COUNT;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

use super::set::SequenceSet;

/// Fewer slices than this are all read: leaving some out would leave too little.
const FEWEST_TO_STRIDE: usize = 11;

/// Fewer slices than this are no batch.
const FEWEST_OF_BATCH: usize = 8;

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

/// A window of the slices `rows`: half of the windows step by more than one slice, half are read
/// backwards.
pub fn draw(rows: &[usize], window: Window, random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut rows = rows.to_vec();
    if rows.len() >= FEWEST_TO_STRIDE && window.stride > 1 && random.random_bool(0.5) {
        let step = random.random_range(2..=window.stride);
        let skipped = random.random_range(0..step);
        rows = rows.into_iter().skip(skipped).step_by(step).collect();
    }
    let start = random.random_range(0..=rows.len().saturating_sub(window.slices));
    rows = rows.into_iter().skip(start).take(window.slices).collect();
    if random.random_bool(0.5) {
        rows.reverse();
    }
    rows
}

/// Windows of one length as tensors.
pub struct Batch {
    /// `[windows, slices, columns]`.
    pub inputs: Tensor,
    /// Labels of the slices that have them, `[labelled, 6]`.
    pub targets: Tensor,
    /// Which those are, of all slices of all windows one after the other.
    pub labelled: Tensor,
}

impl Batch {
    /// The batch of some windows of one length; `None` if no slice has labels, or there are too few
    /// slices for the statistics of batch norms.
    pub fn new(set: &SequenceSet, windows: &[Vec<usize>], device: Device) -> Option<Self> {
        let (mut inputs, mut targets, mut labelled) = (Vec::new(), Vec::new(), Vec::new());
        for (place, row) in windows.iter().flatten().enumerate() {
            if let Some(labels) = set.labels(*row) {
                targets.extend(labels);
                labelled.push(place as i64);
            }
        }
        for rows in windows {
            inputs.extend(set.values(rows));
        }
        let length = windows.first().map_or(0, Vec::len);
        if labelled.is_empty() || windows.len() * length < FEWEST_OF_BATCH {
            return None;
        }
        let shape = [windows.len(), length, set.columns()].map(|size| size as i64);
        Some(Self {
            inputs: Tensor::from_slice(&inputs).reshape(shape).to(device),
            targets: Tensor::from_slice(&targets).reshape([-1, LABEL_COUNT as i64]).to(device),
            labelled: Tensor::from_slice(&labelled).to(device),
        })
    }

    /// The scores `[labelled, 6]` of `[windows, slices, 6]`.
    pub fn scores(&self, logits: &Tensor) -> Tensor {
        logits.reshape([-1, LABEL_COUNT as i64]).index_select(0, &self.labelled)
    }
}

/// The windows of an epoch, a batch after the other: one of each series of `series`. Those of a batch
/// are alike in length, and cut at random to that of the shortest. They follow from `seed` and
/// `epoch` alone.
pub fn epoch(
    set: &SequenceSet,
    series: &[usize],
    window: Window,
    batch: usize,
    (seed, epoch): (u64, u64),
) -> Vec<Vec<Vec<usize>>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(epoch);
    let mut order = series.to_vec();
    order.shuffle(&mut random);
    let windows: Vec<Vec<usize>> =
        order.iter().map(|series| draw(&set.series()[*series], window, &mut random)).collect();
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
    use super::super::set::tests::set;
    use super::*;

    const WINDOW: Window = Window { slices: 24, stride: 2 };

    #[test]
    fn windows_are_even_stretches_of_both_directions() {
        let rows: Vec<usize> = (100..160).collect();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut steps, mut starts) = ([0; 2], [0; 60]);
        for _ in 0..400 {
            let window = draw(&rows, WINDOW, &mut random);
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
                let mut window = draw(&rows, WINDOW, &mut random);
                window.sort_unstable();
                assert_eq!(window, rows);
            }
        }
    }

    #[test]
    fn epochs_hold_every_series_once_and_differ() {
        let set = set(&[30, 5, 12, 40, 3], 1);
        let of = |number| epoch(&set, &[0, 1, 2, 4], WINDOW, 3, (7, number));
        let first = of(0);
        let mut seen: Vec<&str> =
            first.iter().flatten().map(|rows| &*set.table().rows[rows[0]].series).collect();
        seen.sort_unstable();
        assert_eq!(seen, ["series 0", "series 1", "series 2", "series 4"]);
        assert_eq!(of(0), first);
        assert_ne!(of(1), first);
    }

    #[test]
    fn windows_of_a_batch_are_cut_to_its_shortest_and_lose_a_quarter_at_most() {
        let windows = [24, 6, 17, 24, 18, 24, 5].map(|length| (0..length).collect::<Vec<_>>());
        let lengths: Vec<Vec<usize>> = alike(windows.to_vec(), 3)
            .iter()
            .map(|batch| batch.iter().map(Vec::len).collect())
            .collect();
        assert_eq!(lengths, [vec![24, 24, 24], vec![18, 17], vec![6, 5]]);
        let set = set(&[24, 20, 22], 1);
        for number in 0..20 {
            for batch in epoch(&set, &[0, 1, 2], Window { slices: 24, stride: 1 }, 8, (7, number)) {
                let lengths: Vec<usize> = batch.iter().map(Vec::len).collect();
                assert_eq!(lengths, [20; 3]);
            }
        }
    }

    #[test]
    fn batches_know_which_slices_have_labels() {
        let mut set = set(&[4, 4], 1);
        set.forget_labels(5);
        let windows = [vec![0, 1, 2, 3], vec![7, 6, 5, 4]];
        let batch = Batch::new(&set, &windows, Device::Cpu).unwrap();
        assert_eq!((batch.inputs.size(), batch.targets.size()), (vec![2, 4, 30], vec![7, 6]));
        assert_eq!(Vec::<i64>::try_from(&batch.labelled).unwrap(), [0, 1, 2, 3, 4, 5, 7]);
        let logits = Tensor::arange(48, (tch::Kind::Float, Device::Cpu)).reshape([2, 4, 6]);
        assert_eq!(batch.scores(&logits).double_value(&[6, 0]), 42.0);
        assert!(Batch::new(&set, &windows[..1], Device::Cpu).is_none(), "four slices");
    }
}
