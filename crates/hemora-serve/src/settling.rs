//! The thread that finds studies complete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use hemora_store::Settled;
use tracing::{error, info, warn};

use crate::config::{Destination, DicomDestination};
use crate::deliver::dicom_destination;
use crate::settle::{settled, wait};
use crate::shared::Shared;

/// Between two questions to the source.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Between two looks for what other nodes left.
const LOOK_AFTER_OTHERS: Duration = Duration::from_secs(2);

/// Longest time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Holds what the store has no revision of to have arrived just now.
pub(crate) fn begin(shared: &Shared) -> Result<(), hemora_store::StoreError> {
    for row in shared.store.receiving()? {
        shared.arrivals.image(&row.study_uid, None, Instant::now());
    }
    Ok(())
}

/// Settles studies until the node ends.
pub(crate) fn run(shared: &Shared) {
    let others = shared.store.server().is_some();
    let mut looked = Instant::now();
    while !shared.stop.is_set() {
        if others && looked.elapsed() >= LOOK_AFTER_OTHERS {
            looked = Instant::now();
            take_over(shared);
        }
        let version = shared.arrivals.version();
        let mut longest = LOOK_EVERY;
        for (study, mut signals, seen) in shared.arrivals.signals() {
            if signals.source_has.is_some() {
                signals.held =
                    shared.store.study(&study).ok().flatten().map_or(0, |it| it.instances);
            }
            // Who does not answer is asked again before anything is settled.
            let open_elsewhere = others && shared.store.is_open_elsewhere(&study).unwrap_or(true);
            signals.open += usize::from(open_elsewhere);
            let now = Instant::now();
            match settled(now, &signals, &shared.config.settle) {
                Some(why) => settle(shared, &study, why, seen),
                None => longest = longest.min(wait(now, &signals, &shared.config.settle)),
            }
        }
        shared.arrivals.wait(version, longest.max(Duration::from_millis(10)));
    }
}

/// Holds to have arrived just now what came to another node so long ago that it would have settled it: that
/// node has ended.
fn take_over(shared: &Shared) {
    let receiving = shared.store.receiving().unwrap_or_else(|error| {
        error!(%error, "what other nodes received is not known");
        Vec::new()
    });
    let patience = shared.config.settle.quiet_open;
    let known = shared.arrivals.signals();
    for row in receiving {
        let waits = (Utc::now() - row.last_at).to_std().unwrap_or_default();
        if waits > patience && !known.iter().any(|(study, _, _)| *study == row.study_uid) {
            shared.arrivals.image(&row.study_uid, None, Instant::now());
        }
    }
}

fn settle(shared: &Shared, study: &str, why: Settled, seen: u64) {
    match shared.store.settle(study, why, Utc::now()) {
        Ok(revision) => {
            shared.arrivals.settled(study, seen);
            if revision.is_new {
                let why = why.as_str();
                info!(
                    study,
                    revision = revision.revision,
                    images = revision.instances,
                    why,
                    "complete"
                );
            }
        }
        Err(error) => {
            error!(study, %error, "cannot be settled; tried again");
            shared.stop.sleep(Duration::from_secs(1));
        }
    }
}

/// Asks the source how many images it has of each study that arrives, until the node ends.
pub(crate) fn ask_source(shared: &Arc<Shared>) {
    let Some(name) = &shared.config.settle.count_from else { return };
    let named = |it: &&Destination| it.name() == name;
    let Some(Destination::Dicom(source)) = shared.config.destinations.iter().find(named) else {
        return;
    };
    while shared.stop.sleep(ASK_EVERY) {
        for (study, _, _) in shared.arrivals.signals() {
            match count(shared, source, &study) {
                Ok(Some(count)) => shared.arrivals.source_has(&study, count.into()),
                Ok(None) => {}
                Err(error) => warn!(source = name, error, "does not say how many images it has"),
            }
        }
    }
}

fn count(shared: &Shared, source: &DicomDestination, study: &str) -> Result<Option<u32>, String> {
    let source = dicom_destination(&shared.config, source)?;
    hemora_dimse::count_instances(&source, study).map_err(|error| error.to_string())
}
