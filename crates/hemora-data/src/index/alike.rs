//! Slices that look the same, or are the same picture, although they are said to be of different
//! patients.

use std::collections::HashMap;
use std::fmt::Display;

use sha2::{Digest, Sha256};

use super::row::SliceRow;

/// What a slice looks like, and which picture it is: numbers that slices share which look the same, or
/// have the same pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Its fingerprint.
    pub(crate) look: u64,
    /// Its fingerprint with its size, its part in the window and its highest HU, which other pixels
    /// change: two heads may look alike, and are not of one person for that.
    pub(crate) picture: u64,
}

impl Look {
    /// That of a usable slice; `None` if its pixels are not known or show next to nothing.
    pub(crate) fn of(row: &SliceRow) -> Option<Self> {
        let look = row.fingerprint.filter(|look| look.is_telling())?;
        let SliceRow { rows, columns, pct_in_window, hu_max, .. } = row;
        let picture = number(format!("{look} {rows}x{columns} {pct_in_window} {hu_max}"));
        Some(Self { look: number(look), picture })
    }

    /// A number for the patient of a slice or, where that is not known, for its study or series.
    fn person(row: &SliceRow) -> u64 {
        let study = row.study_instance_uid.as_deref().unwrap_or_default();
        let series = row.series_name();
        let known = [("patient", &*row.patient_id), ("study", study), ("series", &*series)];
        let known = known.into_iter().find(|(_, name)| !name.is_empty()).unwrap_or_default();
        number(format!("{}={}", known.0, known.1))
    }
}

/// Part of a hash: of a million texts no two share one.
fn number(text: impl Display) -> u64 {
    let hash = Sha256::digest(text.to_string());
    let mut half = [0; 8];
    half.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(half)
}

/// Counts of looks or pictures, each with whose they are.
#[derive(Debug, Default)]
pub(crate) struct Alike(HashMap<u64, Owners>);

#[derive(Debug)]
struct Owners {
    first: u64,
    slices: usize,
    several: bool,
}

impl Alike {
    /// Adds a usable slice of a row, of its patient or, where that is not known, of its study or
    /// series.
    pub(crate) fn add_row(&mut self, row: &SliceRow) {
        if let Some(Look { look, .. }) = Look::of(row) {
            self.add(look, Look::person(row));
        }
    }

    /// Adds a slice with this look or picture, of this owner.
    pub(crate) fn add(&mut self, look: u64, owner: u64) {
        let owners = Owners { first: owner, slices: 0, several: false };
        let owners = self.0.entry(look).or_insert(owners);
        owners.slices += 1;
        owners.several |= owners.first != owner;
    }

    /// Whether several owners have slices with this look.
    pub(crate) fn is_of_several(&self, look: u64) -> bool {
        self.0.get(&look).is_some_and(|owners| owners.several)
    }

    /// Slices with a look that several owners have.
    pub(crate) fn count(&self) -> usize {
        self.0.values().filter(|owners| owners.several).map(|owners| owners.slices).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(patient: &str, look: &str) -> SliceRow {
        SliceRow {
            patient_id: patient.into(),
            fingerprint: Some(look.repeat(32).parse().unwrap()),
            ..SliceRow::default()
        }
    }

    #[test]
    fn one_look_of_two_patients_is_counted_and_air_is_not() {
        let mut alike = Alike::default();
        for (patient, look) in [
            ("A", "0f"),
            ("B", "0f"),
            ("A", "0f"),
            ("A", "3c"),
            ("A", "3c"),
            ("A", "00"),
            ("B", "00"),
        ] {
            alike.add_row(&row(patient, look));
        }
        assert_eq!(alike.count(), 3);
    }

    #[test]
    fn a_picture_is_more_than_a_look() {
        let one = Look::of(&row("A", "0f")).unwrap();
        assert_eq!(Look::of(&row("B", "0f")), Some(one));
        for other in [
            SliceRow { pct_in_window: 0.25, ..row("A", "0f") },
            SliceRow { hu_max: 80.0, ..row("A", "0f") },
            SliceRow { columns: 256, ..row("A", "0f") },
        ] {
            let other = Look::of(&other).unwrap();
            assert!(one.look == other.look && one.picture != other.picture);
        }
        assert_eq!(Look::of(&row("A", "00")), None);
    }
}
