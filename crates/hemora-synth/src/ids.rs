//! Identifiers of made-up patients, studies and images.

use std::collections::HashSet;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::phantom::{Stream, generator};

/// The identifiers of one study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyIds {
    /// PatientID.
    pub patient_id: String,
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// SOPInstanceUID of each slice, in the order of the slices.
    pub sop_instance_uids: Vec<String>,
}

impl StudyIds {
    /// Dotted UIDs for `slices` slices, the same for the same seed: UUIDs under 2.25
    /// (PS3.5 B.2).
    pub fn from_seed(seed: u64, slices: usize) -> Self {
        let mut random = generator(seed, Stream::Ids, 0);
        Self {
            patient_id: format!("PHANTOM-{seed:016X}"),
            study_instance_uid: uid(&mut random),
            series_instance_uid: uid(&mut random),
            sop_instance_uids: (0..slices).map(|_| uid(&mut random)).collect(),
        }
    }
}

/// A UID of the form 2.25.⟨UUID⟩ with a random (version 4) UUID.
fn uid(random: &mut ChaCha8Rng) -> String {
    let bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    let version = (bits & !(0xf << 76)) | (4 << 76);
    let variant = (version & !(0b11 << 62)) | (0b10 << 62);
    format!("2.25.{variant}")
}

/// Identifiers in the competition's form, `ID_` and hexadecimal digits, each of them only once.
#[derive(Debug, Default)]
pub(crate) struct CompetitionIds {
    used: HashSet<String>,
}

impl CompetitionIds {
    pub(crate) fn next(&mut self, random: &mut ChaCha8Rng, digits: usize) -> String {
        loop {
            let number = random.random_range(0..1u64 << (4 * digits));
            let id = format!("ID_{number:0digits$x}");
            if self.used.insert(id.clone()) {
                return id;
            }
        }
    }

    /// Patient, study and series with 8, 10 and 10 digits, images with 9.
    pub(crate) fn study(&mut self, random: &mut ChaCha8Rng, slices: usize) -> StudyIds {
        StudyIds {
            patient_id: self.next(random, 8),
            study_instance_uid: self.next(random, 10),
            series_instance_uid: self.next(random, 10),
            sop_instance_uids: (0..slices).map(|_| self.next(random, 9)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_valid_and_follow_the_seed() {
        let ids = StudyIds::from_seed(7, 40);
        assert_eq!(ids, StudyIds::from_seed(7, 40));
        assert_ne!(ids.study_instance_uid, StudyIds::from_seed(8, 40).study_instance_uid);
        let mut all: HashSet<&String> = ids.sop_instance_uids.iter().collect();
        all.extend([&ids.study_instance_uid, &ids.series_instance_uid]);
        assert_eq!(all.len(), 42);
        for uid in all {
            let number = uid.strip_prefix("2.25.").unwrap();
            assert!(uid.len() <= 64 && number.parse::<u128>().is_ok() && !number.starts_with('0'));
        }
    }
}
