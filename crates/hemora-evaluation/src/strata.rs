//! Columns by whose values slices are parted: those of an index, and the number of types.

use std::collections::BTreeMap;

use hemora_ct::Label;

use crate::Cases;
use crate::facts::Facts;

/// Values of a column of names that are shown; rarer ones are gathered.
const MOST_NAMES: usize = 8;

/// Slices that share a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stratum {
    pub(crate) value: String,
    pub(crate) slices: Vec<usize>,
}

/// A column and its values, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strata {
    pub(crate) column: String,
    pub(crate) strata: Vec<Stratum>,
}

/// Value of a slice in an index, as text with its rank in the order.
type Value = Option<(usize, String)>;

/// Upper limits of ranges (inclusive but for the last) and what the ranges are called.
struct Ranges {
    limits: &'static [f64],
    names: &'static [&'static str],
}

const THICKNESS: Ranges = Ranges {
    limits: &[1.5, 3.0, 5.0],
    names: &["up to 1.5 mm", "over 1.5 to 3 mm", "over 3 to 5 mm", "over 5 mm"],
};
const TILT: Ranges = Ranges {
    limits: &[1.0, 10.0, 20.0],
    names: &["up to 1°", "over 1 to 10°", "over 10 to 20°", "over 20°"],
};
const AGE: Ranges = Ranges {
    limits: &[17.999, 39.999, 59.999, 79.999],
    names: &["under 18 years", "18 to 39", "40 to 59", "60 to 79", "80 and older"],
};
const HEIGHT: Ranges = Ranges {
    limits: &[1.0 / 3.0, 2.0 / 3.0],
    names: &["lower third", "middle third", "upper third"],
};

impl Ranges {
    fn value(&self, number: Option<f64>) -> Value {
        let number = number.filter(|number| number.is_finite())?;
        let rank = self.limits.iter().position(|limit| number <= *limit);
        let rank = rank.unwrap_or(self.limits.len());
        Some((rank, self.names[rank].to_owned()))
    }
}

/// A column of names: ordered by name, as nothing else is known of them.
fn name(text: Option<String>) -> Value {
    Some((0, text.filter(|text| !text.trim().is_empty())?))
}

/// Value of a slice in a column.
type Read = fn(&Facts) -> Value;

const COLUMNS: [(&str, Read); 9] = [
    ("bit depth", |facts| {
        Some((facts.bits_stored as usize, format!("{} bits", facts.bits_stored)))
    }),
    ("window", |facts| name(facts.window.map(|[level, width]| format!("{level}/{width}")))),
    ("slice thickness", |facts| THICKNESS.value(facts.thickness)),
    ("tilt", |facts| TILT.value(facts.tilt.map(f64::abs))),
    ("scanner", |facts| name(facts.scanner.clone())),
    ("kernel", |facts| name(facts.kernel.clone())),
    ("age", |facts| AGE.value(facts.age)),
    ("sex", |facts| name(facts.sex.clone())),
    ("region of the head", |facts| HEIGHT.value(facts.height)),
];

/// The columns of the index that part the slices, and what is to be said of those that do not.
pub(crate) fn of_index(cases: &Cases) -> (Vec<Strata>, Vec<String>) {
    let Some(facts) = &cases.facts else { return (Vec::new(), Vec::new()) };
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for (column, read) in COLUMNS {
        let mut values: Vec<Value> =
            facts.iter().map(|facts| facts.as_ref().and_then(read)).collect();
        gather(&mut values);
        let strata = part(column, values);
        match strata.strata.as_slice() {
            [] => {}
            [one] if one.value == UNKNOWN => left_out.push(format!("{column} (not known)")),
            [one] => left_out.push(format!("{column} ({} everywhere)", one.value)),
            _ => found.push(strata),
        }
    }
    (found, left_out)
}

/// The slices with so many types, each beside all slices without hemorrhage. `None` unless all
/// five subtypes are evaluated and some slice has one.
pub(crate) fn of_types(cases: &Cases) -> Option<Strata> {
    let subtypes: Vec<_> =
        cases.columns.iter().filter(|column| column.label != Label::Any).collect();
    if subtypes.len() != Label::SUBTYPES.len() {
        return None;
    }
    let count = |slice: usize| subtypes.iter().filter(|column| column.truth[slice]).count();
    let counts: Vec<usize> = (0..cases.ids.len()).map(count).collect();
    let strata: Vec<Stratum> = (1..=subtypes.len())
        .filter(|types| counts.contains(types))
        .map(|types| Stratum {
            value: format!("{types}, beside all without"),
            slices: (0..counts.len())
                .filter(|&slice| counts[slice] == types || counts[slice] == 0)
                .collect(),
        })
        .collect();
    let column = "number of types".to_owned();
    (!strata.is_empty()).then_some(Strata { column, strata })
}

/// What a slice without a value is shown under.
pub(crate) const UNKNOWN: &str = "(unknown)";

/// Parts slices by their values; those without one come last.
pub(crate) fn part(column: &str, values: Vec<Value>) -> Strata {
    let mut parts: BTreeMap<(usize, String), Vec<usize>> = BTreeMap::new();
    for (slice, value) in values.into_iter().enumerate() {
        let value = value.unwrap_or_else(|| (usize::MAX, UNKNOWN.to_owned()));
        parts.entry(value).or_default().push(slice);
    }
    let stratum = |((_, value), slices)| Stratum { value, slices };
    Strata { column: column.to_owned(), strata: parts.into_iter().map(stratum).collect() }
}

/// Gathers the rarest of too many values.
fn gather(values: &mut [Value]) {
    let mut counts: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for value in values.iter().flatten() {
        *counts.entry(value.clone()).or_default() += 1;
    }
    if counts.len() <= MOST_NAMES + 1 {
        return;
    }
    let mut order: Vec<_> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let kept: Vec<_> = order.into_iter().take(MOST_NAMES).map(|(value, _)| value).collect();
    for value in values.iter_mut().flatten().filter(|value| !kept.contains(*value)) {
        *value = (usize::MAX - 1, "other".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_upper_limit() {
        let text = |ranges: &Ranges, number| ranges.value(Some(number)).unwrap().1;
        assert_eq!(text(&THICKNESS, 5.0), "over 3 to 5 mm");
        assert_eq!(text(&THICKNESS, 0.625), "up to 1.5 mm");
        assert_eq!(text(&AGE, 18.0), "18 to 39");
        assert_eq!(text(&AGE, 17.5), "under 18 years");
        assert_eq!(text(&HEIGHT, 1.0), "upper third");
        assert_eq!(TILT.value(None), None);
        for ranges in [THICKNESS, TILT, AGE, HEIGHT] {
            assert_eq!(ranges.names.len(), ranges.limits.len() + 1);
        }
    }

    #[test]
    fn rare_names_are_gathered_and_unknown_ones_last() {
        let mut values: Vec<Value> =
            (0..30).map(|slice| name(Some(format!("{:02}", slice.min(12))))).collect();
        values.push(None);
        gather(&mut values);
        let strata = part("kernel", values).strata;
        assert_eq!(strata.len(), MOST_NAMES + 2);
        let last: Vec<_> = strata[MOST_NAMES..].iter().map(|it| it.value.as_str()).collect();
        assert_eq!(last, ["other", UNKNOWN]);
        assert_eq!(strata.iter().map(|it| it.slices.len()).sum::<usize>(), 31);
    }
}
