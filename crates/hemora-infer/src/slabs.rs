//! Thin slices averaged to slabs of the thickness that a model was trained on.
//!
//! A network that learned from slices of 5 mm sees in one of 0.6 mm eight times the variance of noise,
//! and a bleed in eight times as many slices.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use hemora_ct::{Slice, Turn, stack};
use hemora_io::SliceHeader;

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

    /// The mean HU of a slab's slices that `read` gives, one at a time; why others cannot be read goes to
    /// `unread`.
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
        let first = failed.first().map_or_else(String::new, |(_, reason)| reason.clone());
        unread.lock().unwrap_or_else(PoisonError::into_inner).extend(failed);
        mean.ok_or(first)?.finish()
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
        // Whether slices are missing, the series' own warnings say.
        return Some("their distances are uneven");
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

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::{ImagePlane, Probabilities};
    use hemora_io::{FileFormat, Source};

    const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn header(z: Option<f64>) -> SliceHeader {
        let source = Source::File("slice.dcm".into());
        let plane = |z| ImagePlane::new([0.0, 0.0, z], AXIAL, Some([0.5, 0.5])).unwrap();
        SliceHeader { plane: z.map(plane), ..SliceHeader::new(source, FileFormat::Dicom, [4, 4]) }
    }

    fn of(z: &[f64], slab_mm: Option<f64>) -> Slabs {
        let headers: Vec<SliceHeader> = z.iter().map(|&z| header(Some(z))).collect();
        Slabs::of(&headers, slab_mm)
    }

    /// `count` positions so far apart from `first` on.
    fn even(first: f64, count: usize, spacing: f64) -> Vec<f64> {
        (0..count).map(|index| first + index as f64 * spacing).collect()
    }

    fn lengths(slabs: &Slabs) -> Vec<usize> {
        slabs.ranges.iter().map(Range::len).collect()
    }

    #[test]
    fn every_slice_lies_in_one_slab_by_its_distance_from_the_first() {
        let slabs = of(&even(-37.5, 40, 0.625), Some(5.0));
        assert_eq!(lengths(&slabs), [8; 5]);
        assert_eq!((slabs.slices(2), slabs.slab_of(23), slabs.slab_of(24)), (16..24, 2, 3));
        assert!(
            slabs
                .note
                .as_ref()
                .unwrap()
                .contains("averaged 40 slices of 0.62 mm to 5 slabs of 5 mm")
        );
        // Headers that cut positions off after two digits.
        let rounded: Vec<f64> =
            even(12.34, 40, 0.625).iter().map(|z| (z * 100.0).floor() / 100.0).collect();
        assert_eq!(lengths(&of(&rounded, Some(5.0))), [8; 5]);
        // 0.6 does not divide 5: 0 to 4.8, 5.4 to 9.6, 10.2 to 14.4.
        assert_eq!(lengths(&of(&even(0.0, 25, 0.6), Some(5.0))), [9, 8, 8]);
        let downwards: Vec<f64> = even(0.0, 40, 0.625).into_iter().rev().collect();
        let slabs = of(&downwards, Some(5.0));
        assert_eq!(lengths(&slabs), [8; 5]);
        let z: Vec<Option<f64>> = downwards.into_iter().map(Some).collect();
        assert_eq!(slabs.positions(&z)[0], Some(24.375 - 3.5 * 0.625));
    }

    #[test]
    fn a_last_slab_of_few_slices_joins_the_one_before() {
        let last = |count| lengths(&of(&even(0.0, count, 0.625), Some(5.0)));
        assert_eq!(last(19), [8, 11]);
        assert_eq!(last(20), [8, 8, 4]);
        assert_eq!(last(3), [3]);
    }

    #[test]
    fn slices_that_are_thick_enough_stay_as_they_are() {
        for (spacing, slab_mm) in [(3.0, Some(5.0)), (5.0, Some(5.0)), (0.625, None)] {
            assert_eq!(of(&even(0.0, 10, spacing), slab_mm), Slabs::single(10));
        }
        assert_eq!(lengths(&of(&even(0.0, 10, 2.5), Some(5.0))), [2; 5]);
        assert_eq!(of(&[0.0], Some(5.0)), Slabs::single(1));
    }

    #[test]
    fn thin_series_that_cannot_be_averaged_say_why() {
        let refused = |headers: &[SliceHeader]| {
            let slabs = Slabs::of(headers, Some(5.0));
            assert_eq!(slabs.ranges, Slabs::single(headers.len()).ranges);
            slabs.note.unwrap()
        };
        let headers = |z: &[f64]| z.iter().map(|&z| header(Some(z))).collect::<Vec<_>>();
        let mut gap = even(0.0, 30, 0.625);
        gap.drain(10..13);
        assert!(refused(&headers(&gap)).contains("uneven"));
        let mut uneven = even(0.0, 30, 0.6);
        uneven[7] += 0.3;
        assert!(refused(&headers(&uneven)).contains("uneven"));
        let mut twice = even(0.0, 30, 0.6);
        twice.insert(5, twice[5]);
        assert!(refused(&headers(&twice)).contains("same positions"));
        let mut some = headers(&even(0.0, 30, 0.6));
        some[4].plane = None;
        assert!(refused(&some).contains("position"));
        let mut sizes = headers(&even(0.0, 30, 0.6));
        sizes[9].rows = 8;
        assert!(refused(&sizes).contains("size"));
        let none: Vec<SliceHeader> = (0..3).map(|_| header(None)).collect();
        assert!(refused(&none).contains("not known"));
    }

    #[test]
    fn a_slab_is_the_mean_of_what_can_be_read_and_each_slice_has_its_score() {
        let slabs = of(&even(0.0, 16, 0.625), Some(5.0));
        let unread = Mutex::default();
        let read = |index: usize| match index {
            3 | 8..16 => Err(format!("slice {index} is broken")),
            _ => Ok(Slice::new(2, 2, vec![index as f32; 4], None).unwrap()),
        };
        // 0 to 7 but 3.
        let mean = slabs.read(0, &read, &unread).unwrap();
        assert_eq!(mean.hu(), [25.0 / 7.0; 4]);
        assert_eq!(slabs.read(1, &read, &unread).unwrap_err(), "slice 8 is broken");
        let unread = unread.into_inner().unwrap();
        assert_eq!(
            unread.keys().copied().collect::<Vec<_>>(),
            [&[3][..], &[8, 9, 10, 11, 12, 13, 14, 15]].concat()
        );
        assert_eq!(unread[&15], "slice 15 is broken");
        let score = SliceScore { index: 0, probabilities: Probabilities::default() };
        let indices: Vec<usize> =
            slabs.by_slice(&[score], &unread).iter().map(|slice| slice.index).collect();
        assert_eq!(indices, [0, 1, 2, 4, 5, 6, 7]);
    }
}
