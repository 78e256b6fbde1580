//! Which slices of a series lie in one stack, as triage stacks them: localizers and other sizes or
//! directions that share the series' UID are stacks of their own.

use std::collections::{BTreeMap, HashMap};

use hemora_ct::stack;

use super::texts::{TextId, Texts};

/// What decides which slices a slice is stacked with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kin {
    /// Patient, study, series, and the kind and size of the image.
    pub(super) key: [TextId; 4],
    /// Six cosines with commas between them; empty if not known.
    pub(super) orientation: TextId,
}

/// The number of each slice's stack, and the name of the series of each stack: the largest stack of
/// a series has the series' name, the others that with `-stack2` and so on behind it. Slices without
/// a direction go with the largest stack of their kind.
pub(super) fn stacks(kin: &[Kin], texts: &Texts) -> (Vec<u32>, Vec<String>) {
    let mut counts: HashMap<[TextId; 4], BTreeMap<TextId, usize>> = HashMap::new();
    for Kin { key, orientation } in kin {
        *counts.entry(*key).or_default().entry(*orientation).or_default() += 1;
    }
    // Stacks of each series by name, with their size and what orders those of one size.
    let mut of_series: BTreeMap<&str, Vec<Stack>> = BTreeMap::new();
    for (key, orientations) in counts {
        let names = key.map(|text| texts.get(text));
        let series = of_series.entry(names[2]).or_default();
        let stacks = directions(&orientations, texts).into_iter().enumerate();
        series.extend(stacks.map(|(number, (size, orientations))| Stack {
            sort: (names.join("\0"), number),
            key,
            size,
            orientations,
        }));
    }
    let (mut numbers, mut names) = (HashMap::new(), Vec::new());
    for (series, mut stacks) in of_series {
        stacks.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.sort.cmp(&b.sort)));
        for (index, stack) in stacks.into_iter().enumerate() {
            for orientation in stack.orientations {
                numbers.insert((stack.key, orientation), names.len() as u32);
            }
            names.push(match index {
                0 => series.to_owned(),
                _ => format!("{series}-stack{}", index + 1),
            });
        }
    }
    (kin.iter().map(|kin| numbers[&(kin.key, kin.orientation)]).collect(), names)
}

struct Stack {
    /// Patient, study, series and kind, then the number of the stack among those of its kind.
    sort: (String, usize),
    key: [TextId; 4],
    size: usize,
    orientations: Vec<TextId>,
}

/// The stacks of slices of one kind, the largest first: how many slices, and their orientations.
fn directions(counts: &BTreeMap<TextId, usize>, texts: &Texts) -> Vec<(usize, Vec<TextId>)> {
    let cosines = |text: TextId| -> Option<[f64; 6]> {
        let numbers = texts.get(text).split(',').map(|number| number.parse().ok());
        numbers.collect::<Option<Vec<f64>>>()?.try_into().ok()
    };
    let entries: Vec<_> = counts.iter().map(|(&text, &count)| (cosines(text), count)).collect();
    let mut stacks: BTreeMap<usize, (usize, Vec<TextId>)> = BTreeMap::new();
    for (number, (&orientation, count)) in stack::stack_numbers(&entries).into_iter().zip(counts) {
        let (size, orientations) = stacks.entry(number).or_default();
        *size += count;
        orientations.push(orientation);
    }
    stacks.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIAL: &str = "1,0,0,0,1,0";
    const TURNED_BY_1: &str = "1,0,0,0,0.9998,-0.0175";
    const SAGITTAL: &str = "0,1,0,0,0,-1";

    #[test]
    fn only_slices_of_one_person_kind_and_direction_are_stacked() {
        let mut texts = Texts::default();
        let mut kin = |patient: &str, study: &str, shape: &str, orientation: &str| Kin {
            key: [patient, study, "series", shape].map(|text| texts.share(text)),
            orientation: texts.share(orientation),
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
        let (stacks, names) = stacks(&kin, &texts);
        assert_eq!(stacks[1..4], [0; 3]);
        let mut others = [stacks[0], stacks[4], stacks[5], stacks[6], stacks[7]];
        others.sort_unstable();
        assert_eq!(others, [1, 2, 3, 4, 5]);
        assert_eq!(names[..3], ["series", "series-stack2", "series-stack3"]);
    }
}
