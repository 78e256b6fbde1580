//! What a prepared set was made of, by which a folder is known to be of one set.

use std::ffi::OsStr;

use hemora_ct::LABEL_COUNT;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::PrepareError;
use super::plan::Plan;
use super::recipe::PrepareRecipe;
use super::selection::{Selection, SplitRule};
use super::target::Target;
use crate::index::{LOCALIZER, SliceRow};

/// Goes up when the same index, recipe and selection may give another set than before.
const VERSION: u32 = 3;

/// What decides a set.
const SET: &str = "set.toml";
/// The folder of a set whose folders are locked while shares of it are at work.
pub(super) const SHARES: &str = "shares";

/// Adds what decides a set of a slice of the index: its pixels, labels and names, which slices it is
/// stacked with and where it lies among them.
pub(super) fn digest(hash: &mut Sha256, row: &SliceRow) {
    let series = row.series_name();
    let study = row.study_instance_uid.as_deref().unwrap_or_default();
    let orientation = row.orientation.as_deref().unwrap_or_default();
    let look = row.fingerprint.map(|look| look.to_string()).unwrap_or_default();
    let facts = [&row.id, &row.sha256, &*series, study, &row.patient_id, orientation, &look];
    for text in facts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.update([u8::from(row.has_flag(LOCALIZER)), u8::from(row.instance_number.is_some())]);
    hash.update(row.instance_number.unwrap_or_default().to_le_bytes());
    hash.update(row.rows.to_le_bytes());
    hash.update(row.columns.to_le_bytes());
    hash.update(row.z.unwrap_or(f64::NAN).to_le_bytes());
    hash.update(row.pct_in_window.to_le_bytes());
    hash.update(row.labels.map_or([2; LABEL_COUNT], |labels| labels.map(u8::from)));
}

/// What decides a set, beside its recipe: `set.toml`.
#[derive(Serialize)]
struct Identity<'a> {
    version: u32,
    slices: usize,
    input_sha256: &'a str,
    recipe_as_given: &'a str,
    selection: &'a Selection,
    /// How the index was split, if that split was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_split: Option<SplitRule>,
}

/// Makes the target, whose folder is there, this set's own, or finds that it already is.
pub(super) fn claim(
    target: &Target,
    plan: &Plan,
    recipe: &PrepareRecipe,
    selection: &Selection,
    stored_split: Option<SplitRule>,
) -> Result<(), PrepareError> {
    let recipe = toml::to_string(recipe).expect("recipes are valid TOML");
    let identity = Identity {
        version: VERSION,
        slices: plan.slices.len(),
        input_sha256: &plan.input_sha256,
        recipe_as_given: &recipe,
        selection,
        stored_split,
    };
    let identity = toml::to_string(&identity).expect("an identity is valid TOML");
    let other_set = || PrepareError::OtherSet(target.shown(target.folder()));
    let is_claimed = || match target.text(SET)? {
        Some(there) if there == identity => Ok(true),
        Some(_) => Err(other_set()),
        None => Ok(false),
    };
    if is_claimed()? {
        return Ok(());
    }
    // Another share of the same set may have claimed it since.
    if target.holds(|name| may_be_before_a_set(name))? && !is_claimed()? {
        return Err(other_set());
    }
    target.write(SET, |file| file.write_all(identity.as_bytes()))?;
    // Of two sets that are begun in one place at one moment, one finds the other's.
    is_claimed().map(|_| ())
}

/// Whether a folder may hold this beside which no set was begun: a part of a first file that was not finished,
/// and what keeps two processes from one share.
fn may_be_before_a_set(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let is_part = name.starts_with(".hemora-") && name.ends_with(".partial");
    is_part || ["set.toml.partial", SHARES].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_decides_stacks_neighbours_and_splits_decides_the_set() {
        let digest_of = |row: &SliceRow| {
            let mut hash = Sha256::new();
            digest(&mut hash, row);
            hemora_base::hex(&hash.finalize())
        };
        let row = SliceRow {
            path: "a.dcm".into(),
            id: "ID_1".into(),
            rows: 512,
            columns: 512,
            ..SliceRow::default()
        };
        let before = digest_of(&row);
        assert_eq!(digest_of(&row.clone()), before);
        // An index of before had no directions; bringing it up to date fills them in.
        let orientation = Some("1,0,0,0,1,0".to_owned());
        let study_instance_uid = Some("1.2".to_owned());
        let fingerprint = Some("0f".repeat(32).parse().unwrap());
        for other in [
            SliceRow { orientation, ..row.clone() },
            SliceRow { study_instance_uid, ..row.clone() },
            SliceRow { fingerprint, ..row.clone() },
            SliceRow { rows: 256, ..row.clone() },
            SliceRow { columns: 256, ..row.clone() },
            SliceRow { instance_number: Some(0), ..row.clone() },
            SliceRow { flags: vec![LOCALIZER.to_owned()], ..row.clone() },
        ] {
            assert_ne!(digest_of(&other), before, "{other:?}");
        }
    }
}
