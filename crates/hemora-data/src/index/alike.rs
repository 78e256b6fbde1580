//! Slices that look the same although they are said to be of different patients.

use std::collections::HashMap;

use hemora_ct::Fingerprint;
use sha2::{Digest, Sha256};

use super::row::SliceRow;

/// Fewer steps are air or nearly so, and look like any other.
const FEWEST_STEPS: u32 = 16;

/// Counts of looks, each with whose they are.
#[derive(Debug, Default)]
pub(crate) struct Alike(HashMap<Fingerprint, Look>);

#[derive(Debug)]
struct Look {
    person: u64,
    slices: usize,
    several: bool,
}

impl Alike {
    /// Adds a usable slice, of its patient or, where that is not known, of its study or series.
    pub(crate) fn add(&mut self, row: &SliceRow) {
        let Some(look) = row.fingerprint.filter(|look| look.steps() >= FEWEST_STEPS) else {
            return;
        };
        let study = row.study_instance_uid.as_deref().unwrap_or_default();
        let series = row.series_name();
        let known = [("patient", &*row.patient_id), ("study", study), ("series", &*series)];
        let known = known.into_iter().find(|(_, name)| !name.is_empty()).unwrap_or_default();
        let hash = Sha256::digest(format!("{}={}", known.0, known.1));
        let mut half = [0; 8];
        half.copy_from_slice(&hash[..8]);
        let person = u64::from_le_bytes(half);
        let known = self.0.entry(look).or_insert(Look { person, slices: 0, several: false });
        known.slices += 1;
        known.several |= known.person != person;
    }

    /// Slices that look the same as a slice of another patient.
    pub(crate) fn count(&self) -> usize {
        self.0.values().filter(|look| look.several).map(|look| look.slices).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_of_two_patients_is_counted_and_air_is_not() {
        let row = |patient: &str, look: &str| SliceRow {
            patient_id: patient.into(),
            fingerprint: Some(look.repeat(32).parse().unwrap()),
            ..SliceRow::default()
        };
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
            alike.add(&row(patient, look));
        }
        assert_eq!(alike.count(), 3);
    }
}
