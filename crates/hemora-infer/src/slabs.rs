//! Thin slices averaged to slabs of the thickness that a model was trained on.
//!
//! A network that learned from slices of 5 mm sees in one of 0.6 mm eight times the variance of noise,
//! and a bleed in eight times as many slices.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use hemora_ct::{Slice, Turn, stack};
use hemora_io::{Series, SliceHeader};

use crate::score::SliceScore;

/// Series whose slices are nearer to each other than this part of a slab are averaged.
const THIN: f64 = 0.6;
/// How far a distance between slices may be from the median, as a part of it.
const EVEN: f64 = 0.25;

/// The slices of a series as they are scored: each alone, or several averaged to one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slabs {
    /// For each slab its slices, by their index in the series.
    ranges: Vec<Range<usize>>,
    /// What a reader should know.
    pub note: Option<String>,
}

impl Slabs {
    /// Every one of `count` slices by itself.
    pub(crate) fn single(count: usize) -> Self {
        Self { ranges: (0..count).map(|index| index..index + 1).collect(), note: None }
    }

    /// The slices of a series for a model that was trained on slices of `slab_mm`.
    ///
    /// Where their median distance is less than 0.6 of that, slab k has those from k to k + 1 times
    /// `slab_mm` behind the first. A last slab of less than half as many slices as the one before joins
    /// it. A thin series that cannot be averaged stays as it is, with a note.
    pub(crate) fn of(headers: &[SliceHeader], slab_mm: Option<f64>) -> Self {
        let single = Self::single(headers.len());
        let Some(slab_mm) = slab_mm else { return single };
        let z = stack::positions(headers.iter().map(|header| header.plane));
        let known: Vec<f64> = z.iter().copied().flatten().collect();
        match stack::median_spacing(&known) {
            Some(spacing) if spacing < THIN * slab_mm => {
                match problem(headers, known.len() < z.len(), &known, spacing) {
                    Some(problem) => {
                        let note = format!(
                            "its slices are {spacing:.2} mm apart and the model was trained on \
                             slices of {slab_mm} mm, but they could not be averaged ({problem}): \
                             each was scored by itself, and the probabilities may not hold"
                        );
                        Self { note: Some(note), ..single }
                    }
                    None => Self::averaged(&known, spacing, slab_mm),
                }
            }
            None if headers.len() > 1 => {
                let note = format!(
                    "the distance between its slices is not known, and the model was trained on \
                     slices of {slab_mm} mm: if they are thinner, the probabilities may not hold"
                );
                Self { note: Some(note), ..single }
            }
            _ => single,
        }
    }

    fn averaged(z: &[f64], spacing: f64, slab_mm: f64) -> Self {
        // Both positions may be rounded: what lies just below a bound then belongs above it.
        let rounding = 2.0 * stack::SAME_POSITION_MM;
        let slab = |at: &f64| (((at - z[0]).abs() + rounding) / slab_mm).floor();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for run in z.chunk_by(|a, b| slab(a) == slab(b)) {
            let begin = ranges.last().map_or(0, |range| range.end);
            ranges.push(begin..begin + run.len());
        }
        if let [.., before, last] = ranges.as_mut_slice()
            && 2 * last.len() < before.len()
        {
            before.end = last.end;
            ranges.pop();
        }
        let note = format!(
            "averaged {} slices of {spacing:.2} mm to {} slabs of {slab_mm} mm, the thickness that the \
             model was trained on; each slice has the probabilities of its slab",
            z.len(),
            ranges.len()
        );
        Self { ranges, note: Some(note) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The slices of a slab.
    pub(crate) fn slices(&self, slab: usize) -> Range<usize> {
        self.ranges[slab].clone()
    }

    /// The slab that a slice lies in.
    pub(crate) fn slab_of(&self, slice: usize) -> usize {
        self.ranges.partition_point(|range| range.end <= slice)
    }

    /// The mean position of each slab, mm, of those of the slices.
    pub(crate) fn positions(&self, z: &[Option<f64>]) -> Vec<Option<f64>> {
        let mean = |range: &Range<usize>| {
            let sum = z[range.clone()].iter().copied().sum::<Option<f64>>()?;
            Some(sum / range.len() as f64)
        };
        self.ranges.iter().map(mean).collect()
    }

    /// The scores of slabs as those of all their slices but the `unread`.
    pub(crate) fn by_slice(
        &self,
        scores: &[SliceScore],
        unread: &BTreeMap<usize, String>,
    ) -> Vec<SliceScore> {
        let slices = |score: &SliceScore| {
            let probabilities = score.probabilities;
            self.slices(score.index).map(move |index| SliceScore { index, probabilities })
        };
        scores.iter().flat_map(slices).filter(|it| !unread.contains_key(&it.index)).collect()
    }

    /// The mean HU of a slab's slices that `read` gives, one at a time. What cannot be read is noted in
    /// `unread` where the slab has others.
    pub(crate) fn read(
        &self,
        slab: usize,
        read: &(dyn Fn(usize) -> Result<Slice, String> + Sync),
        unread: &Mutex<BTreeMap<usize, String>>,
    ) -> Result<Slice, String> {
        let range = self.slices(slab);
        if range.len() == 1 {
            return read(range.start);
        }
        let mut mean: Option<Mean> = None;
        let mut failed: Vec<(usize, String)> = Vec::new();
        for index in range {
            let added = read(index).and_then(|slice| match &mut mean {
                Some(mean) => mean.add(&slice),
                None => {
                    mean = Some(Mean::new(slice));
                    Ok(())
                }
            });
            failed.extend(added.err().map(|reason| (index, reason)));
        }
        let Some(mean) = mean else {
            // The same for all of the slab.
            return Err(failed.into_iter().next().map_or_else(String::new, |(_, reason)| reason));
        };
        unread.lock().unwrap_or_else(PoisonError::into_inner).extend(failed);
        mean.finish()
    }
}

/// A mean of slices that are added one by one.
struct Mean {
    first: Slice,
    sums: Vec<f64>,
    count: usize,
}

impl Mean {
    fn new(first: Slice) -> Self {
        let sums = first.hu().iter().map(|&hu| f64::from(hu)).collect();
        Self { first, sums, count: 1 }
    }

    fn add(&mut self, slice: &Slice) -> Result<(), String> {
        let size = [slice.rows(), slice.columns()];
        if size != [self.first.rows(), self.first.columns()] {
            let [rows, columns] = size;
            return Err(format!("it has {rows} × {columns} pixels, unlike others of its slab"));
        }
        self.sums.iter_mut().zip(slice.hu()).for_each(|(sum, &hu)| *sum += f64::from(hu));
        self.count += 1;
        Ok(())
    }

    fn finish(self) -> Result<Slice, String> {
        let count = self.count as f64;
        let hu = self.sums.into_iter().map(|sum| (sum / count) as f32).collect();
        let (rows, columns) = (self.first.rows(), self.first.columns());
        Slice::new(rows, columns, hu, self.first.plane).map_err(|error| error.to_string())
    }
}

/// Why slices cannot be averaged to slabs.
fn problem(
    headers: &[SliceHeader],
    some_unknown: bool,
    z: &[f64],
    spacing: f64,
) -> Option<&'static str> {
    if some_unknown {
        return Some("not all of them have a position");
    }
    let steps: Vec<f64> = z.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let upwards = steps.iter().filter(|step| **step > 0.0).count();
    if upwards != 0 && upwards != steps.len() {
        return Some("they are not in order or lie at the same positions");
    }
    let is_even = |step: &f64| (step.abs() - spacing).abs() <= EVEN * spacing;
    if !steps.iter().all(is_even) {
        return Some("their distances are uneven, or some are missing");
    }
    let first = &headers[0];
    let differs = |header: &SliceHeader| {
        let spacing = |header: &SliceHeader| header.plane.and_then(|plane| plane.spacing);
        [header.rows, header.columns] != [first.rows, first.columns]
            || Turn::upright(header.plane) != Turn::upright(first.plane)
            || spacing(header) != spacing(first)
    };
    headers.iter().any(differs).then_some("they differ in size, pixel spacing or direction")
}
