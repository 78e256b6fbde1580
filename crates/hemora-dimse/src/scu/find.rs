//! C-FIND: how many images of a study an archive has.

use super::session::{proposal, with_session};
use super::{Destination, ScuError};
use crate::association::AssociationError;
use crate::command::{Command, elements, fields};
use crate::data_set::{DataSet, Writer, is_explicit, tags};
use crate::uids::{STUDY_ROOT_FIND, is_instance_name};

const SERVICE: &str = "queries of studies (C-FIND, study root)";

/// Pending statuses (PS3.4 §C.4.1.1.4): a match follows.
const PENDING: [u16; 2] = [0xFF00, 0xFF01];

/// Matches that are read; one is expected.
const MOST_MATCHES: usize = 64;

/// Asks an archive (C-FIND, study root, PS3.4 §C.6.2) how many instances a study has, by
/// NumberOfStudyRelatedInstances (0020,1208); `None` if it does not know the study or does not count.
///
/// # Errors
/// [`ScuError`] if it does not answer.
pub fn count_instances(at: &Destination, study_uid: &str) -> Result<Option<u32>, ScuError> {
    if !is_instance_name(study_uid) {
        return Err(ScuError::Invalid(format!("{study_uid:?} is no study's UID")));
    }
    with_session(at, vec![proposal(STUDY_ROOT_FIND)], vec![], |session| {
        let context = session.only_context(SERVICE)?;
        let explicit = is_explicit(&context.transfer_syntax) == Some(true);
        let mut query = Writer::new(explicit);
        query.text(tags::QUERY_LEVEL, *b"CS", "STUDY");
        query.uid(tags::STUDY_INSTANCE_UID, study_uid);
        query.text(tags::STUDY_RELATED_INSTANCES, *b"IS", "");
        const MEDIUM: u16 = 0;
        let request = Command::request(fields::FIND, session.next_message())
            .with_uid(elements::AFFECTED_CLASS, STUDY_ROOT_FIND)
            .with_number(elements::PRIORITY, MEDIUM)
            .with_data_set();
        session.send(&context, &request, Some(&query.into_bytes()))?;
        let mut count = None;
        for _ in 0..MOST_MATCHES {
            let answer = session.next()?;
            let mut found = None;
            if answer.has_data_set() {
                let data_set = session.association.data_set(context.id);
                let data_set = data_set.map_err(|error| session.failed(error))?;
                found = data_set.and_then(|bytes| instances(&bytes, explicit, study_uid));
            }
            let status = session.status_of(&request, &answer)?;
            if !PENDING.contains(&status) {
                session.check(SERVICE, &request, &answer)?;
                return Ok(count);
            }
            count = count.or(found);
        }
        let what = "more matches for one study than can be";
        Err(session.failed(AssociationError::violation(0, what)))
    })
}

/// What a match says about the study that was asked for.
fn instances(bytes: &[u8], explicit: bool, study_uid: &str) -> Option<u32> {
    let found = DataSet::parse(bytes, explicit).ok()?;
    let is_it = found.text(tags::STUDY_INSTANCE_UID) == study_uid;
    is_it.then(|| found.text(tags::STUDY_RELATED_INSTANCES).parse().ok()).flatten()
}
