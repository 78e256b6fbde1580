//! Which slices of a series lie in one stack, as triage stacks them: localizers, other sizes or
//! directions and further passes that share the series' UID are stacks of their own.

use std::collections::{BTreeMap, HashMap};

use hemora_ct::stack::{self, PassSlice};

use super::texts::{PackedSource, TextId, Texts};

/// What decides which slices a slice is stacked with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kin {
    /// Patient, study, series, and the kind and size of the image.
    pub(super) key: [TextId; 4],
    /// Six cosines with commas between them; empty if not known.
    pub(super) orientation: TextId,
    /// Position along the normal, mm; not a number where it is not known.
    pub(super) z: f64,
    /// InstanceNumber; the highest number if there is none.
    pub(super) number: i64,
}

impl Kin {
    /// Along the normal, mm.
    pub(super) fn position(&self) -> Option<f64> {
        Some(self.z).filter(|z| z.is_finite())
    }
}

/// The number of each slice's stack, and the name of the series of each stack: the largest stack of
/// a series has the series' name, the others that with `-stack2` and so on behind it. Slices without
/// a direction go with the largest stack of their kind.
///
/// An index has no AcquisitionNumber: passes follow the InstanceNumber, then the `sources` of the
/// slices, by their places in `kin`.
pub(super) fn stacks(
    kin: &[Kin],
    sources: impl Fn(usize) -> PackedSource,
    texts: &Texts,
) -> (Vec<u32>, Vec<String>) {
    // Stacks of each series by name, with what orders those of one size.
    let mut of_series: BTreeMap<&str, Vec<Stack>> = BTreeMap::new();
    for ((key, direction), mut slots) in directions(kin, texts) {
        let names = key.map(|text| texts.get(text));
        slots.sort_by(|&a, &b| sources(a as usize).compare(sources(b as usize), texts));
        let slices: Vec<PassSlice> = slots.iter().map(|&slot| slice(&kin[slot as usize])).collect();
        let mut passes: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (pass, slot) in stack::pass_numbers(&slices).into_iter().zip(slots) {
            passes.entry(pass).or_default().push(slot);
        }
        let stacks = passes.into_iter().map(|(pass, slots)| {
            let sort = (names.join("\0"), direction, pass);
            Stack { sort, slots }
        });
        of_series.entry(names[2]).or_default().extend(stacks);
    }
    let (mut numbers, mut names) = (vec![0; kin.len()], Vec::new());
    for (series, mut stacks) in of_series {
        let size = |stack: &Stack| stack.slots.len();
        stacks.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.sort.cmp(&b.sort)));
        for (index, stack) in stacks.into_iter().enumerate() {
            for slot in stack.slots {
                numbers[slot as usize] = names.len() as u32;
            }
            names.push(match index {
                0 => series.to_owned(),
                _ => format!("{series}-stack{}", index + 1),
            });
        }
    }
    (numbers, names)
}

struct Stack {
    /// Patient, study, series and kind, then the number of the direction among those of its kind,
    /// then that of the pass.
    sort: (String, usize, usize),
    /// Its slices, by their places in the index.
    slots: Vec<u32>,
}

fn slice(kin: &Kin) -> PassSlice {
    PassSlice { position: kin.position(), acquisition: None, instance: Some(kin.number) }
}

/// The slices of each kind and direction, by their places in `kin`; of the directions of a kind, 0
/// has the most slices.
fn directions(kin: &[Kin], texts: &Texts) -> HashMap<([TextId; 4], usize), Vec<u32>> {
    let mut counts: HashMap<[TextId; 4], BTreeMap<TextId, usize>> = HashMap::new();
    for Kin { key, orientation, .. } in kin {
        *counts.entry(*key).or_default().entry(*orientation).or_default() += 1;
    }
    let cosines = |text: TextId| -> Option<[f64; 6]> {
        let numbers = texts.get(text).split(',').map(|number| number.parse().ok());
        numbers.collect::<Option<Vec<f64>>>()?.try_into().ok()
    };
    let mut numbers = HashMap::new();
    for (key, counts) in counts {
        let entries: Vec<_> = counts.iter().map(|(&text, &count)| (cosines(text), count)).collect();
        let of_key = stack::stack_numbers(&entries).into_iter().zip(counts.into_keys());
        numbers.extend(of_key.map(|(number, orientation)| ((key, orientation), number)));
    }
    let mut directions: HashMap<([TextId; 4], usize), Vec<u32>> = HashMap::new();
    for (Kin { key, orientation, .. }, slot) in kin.iter().zip(0..) {
        let number = numbers[&(*key, *orientation)];
        directions.entry((*key, number)).or_default().push(slot);
    }
    directions
}

#[cfg(test)]
mod tests {
    use hemora_io::Source;

    use super::*;

    const AXIAL: &str = "1,0,0,0,1,0";
    const TURNED_BY_1: &str = "1,0,0,0,0.9998,-0.0175";
    const SAGITTAL: &str = "0,1,0,0,0,-1";

    fn file(texts: &mut Texts, name: &str) -> PackedSource {
        PackedSource::new(&Source::File(name.into()), texts).unwrap()
    }

    #[test]
    fn only_slices_of_one_person_kind_and_direction_are_stacked() {
        let mut texts = Texts::default();
        let source = file(&mut texts, "a.dcm");
        let mut kin = |patient: &str, study: &str, shape: &str, orientation: &str| Kin {
            key: [patient, study, "series", shape].map(|text| texts.share(text)),
            orientation: texts.share(orientation),
            z: f64::NAN,
            number: i64::MAX,
        };
        let kin = [
            kin("A", "1", "512", SAGITTAL),
            kin("A", "1", "512", AXIAL),
            kin("A", "1", "512", TURNED_BY_1),
            kin("A", "1", "512", ""),
            kin("A", "1", "localizer 512", AXIAL),
            kin("A", "1", "256", AXIAL),
            kin("B", "1", "512", AXIAL),
            kin("A", "2", "512", AXIAL),
        ];
        let (stacks, names) = stacks(&kin, |_| source, &texts);
        assert_eq!(stacks[1..4], [0; 3]);
        let mut others = [stacks[0], stacks[4], stacks[5], stacks[6], stacks[7]];
        others.sort_unstable();
        assert_eq!(others, [1, 2, 3, 4, 5]);
        assert_eq!(names[..3], ["series", "series-stack2", "series-stack3"]);
    }

    #[test]
    fn further_passes_are_stacks_of_their_own() {
        let mut texts = Texts::default();
        let mut kin = |study: &str, z: f64, number: i64| Kin {
            key: ["A", study, "series", "512"].map(|text| texts.share(text)),
            orientation: texts.share(AXIAL),
            z,
            number,
        };
        // Study 1: a second pass without one slice and one slice without a position; study 2: the
        // same without numbers; study 3: two slices were repeated.
        let mut all = vec![kin("1", f64::NAN, 40)];
        all.extend((0..8).map(|at| kin("1", at as f64 * 5.0, 10 + at)));
        all.extend((0..7).map(|at| kin("1", at as f64 * 5.0, 9 - at)));
        all.extend((0..6).flat_map(|at| [kin("2", at as f64, i64::MAX); 2]));
        all.extend((0..8).map(|at| kin("3", at as f64 % 6.0, at)));
        let place: Vec<PackedSource> =
            (0..all.len()).map(|slot| file(&mut texts, &format!("{:02}", slot ^ 1))).collect();
        let (stacks, names) = stacks(&all, |slot| place[slot], &texts);
        assert_eq!(names.len(), 5);
        // The lower instance numbers are the first pass of study 1, which lacks no position.
        let first = [0, 8, 9, 10, 11, 12, 13, 14, 15].map(|slot| stacks[slot]);
        assert_eq!(first, [0; 9]);
        assert_eq!(stacks[1..8], [stacks[1]; 7]);
        let second = |number: u32| &names[number as usize];
        assert_eq!(
            (second(0), second(stacks[1])),
            (&"series".to_owned(), &"series-stack3".to_owned())
        );
        // Slots 16 and 17, 18 and 19 … lie at one position; the names of their files decide.
        let study_2: Vec<u32> = stacks[16..28].to_vec();
        assert_eq!(study_2, [study_2[0], study_2[1]].repeat(6));
        assert!(study_2[0] > study_2[1], "the file of the later slot has the lower name");
        assert_eq!(stacks[28..], [stacks[28]; 8]);
    }
}
