//! The outbox: a thread for each destination, which sends what is due until it is acknowledged.

mod connect;
mod dicom;
mod hl7;
mod http;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use hemora_store::Delivery;
use tracing::{error, info, warn};

pub(crate) use connect::connect;
pub(crate) use dicom::dicom_destination;

use crate::config::Destination;
use crate::metrics::Attempt;
use crate::shared::Shared;

/// How long a delivery is leased: longer than the slowest one may take.
const LEASE: Duration = Duration::from_secs(300);

/// How long is waited for something to be due.
const PATIENCE: Duration = Duration::from_millis(500);

/// Most objects that one association carries: what it asks to be committed comes in one report.
const MOST_AT_ONCE: usize = 32;

/// First and longest time to the next attempt.
const DELAYS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(600)];

/// Sends what is due to one destination, until the node ends.
pub(crate) fn run(shared: &Arc<Shared>, destination: &Destination) {
    let name = destination.name();
    let owner = format!("sender of process {}", std::process::id());
    while !shared.stop.is_set() {
        let seen = shared.store.changes();
        match shared.store.lease_delivery(&owner, Some(name), Utc::now(), LEASE) {
            Ok(Some(first)) => {
                let mut due = vec![first];
                due.extend(more(shared, destination, &owner));
                attempt(shared, destination, &due);
            }
            Ok(None) => {
                shared.store.wait_for_change(seen, PATIENCE);
            }
            Err(error) => {
                error!(destination = name, %error, "no delivery can be leased");
                shared.stop.sleep(Duration::from_secs(1));
            }
        }
    }
}

/// What else is due to a destination that takes several things at once.
fn more(shared: &Shared, destination: &Destination, owner: &str) -> Vec<Delivery> {
    let Destination::Dicom(_) = destination else { return Vec::new() };
    let name = Some(destination.name());
    let lease = || shared.store.lease_delivery(owner, name, Utc::now(), LEASE).ok().flatten();
    std::iter::from_fn(lease).take(MOST_AT_ONCE - 1).collect()
}

/// Sends what is due and notes what came of each.
fn attempt(shared: &Shared, destination: &Destination, due: &[Delivery]) {
    let each = |send: &dyn Fn(&Delivery) -> Result<String, String>| due.iter().map(send).collect();
    let sent: Vec<_> = match destination {
        Destination::Dicom(it) => dicom::send(shared, it, due),
        Destination::Hl7(it) => each(&|delivery| hl7::send(it, delivery)),
        Destination::Fhir(it) => each(&|delivery| http::send_fhir(it, delivery)),
        Destination::Webhook(it) => each(&|delivery| http::send_webhook(it, delivery)),
    };
    for (delivery, sent) in due.iter().zip(sent) {
        note(shared, destination.name(), delivery, sent);
    }
}

fn note(shared: &Shared, name: &str, delivery: &Delivery, sent: Result<String, String>) {
    let (kind, study) = (&delivery.kind, &delivery.study_uid);
    let outcome = if sent.is_ok() { "acknowledged" } else { "failed" };
    let counted = Attempt { destination: name.to_owned(), outcome };
    shared.metrics.attempts.get_or_create(&counted).inc();
    let noted = match sent {
        Ok(status) => {
            info!(destination = name, kind, study, status, "delivered");
            if let Ok(Some(row)) = shared.store.study(study) {
                let waited = (Utc::now() - row.last_at).to_std().unwrap_or_default();
                shared.metrics.to_delivered.observe(waited.as_secs_f64());
            }
            shared.store.delivered(delivery.id, &status, Utc::now())
        }
        Err(problem) => {
            let wait = delay(delivery.attempts);
            warn!(
                destination = name,
                kind,
                study,
                problem,
                seconds = wait.as_secs(),
                "not delivered"
            );
            shared.store.delivery_failed(delivery.id, &problem, Some(Utc::now() + wait))
        }
    };
    if let Err(error) = noted {
        // Its lease ends, and it is sent again under the same UIDs.
        error!(destination = name, kind, study, %error, "what came of a delivery is not noted");
    }
}

/// How long is waited after so many failures before this one.
fn delay(failures: u32) -> Duration {
    let [first, longest] = DELAYS;
    first.saturating_mul(1 << failures.min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_and_ends_at_ten_minutes() {
        let seconds: Vec<u64> = (0..12).map(|failures| delay(failures).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
        assert_eq!(delay(u32::MAX).as_secs(), 600);
    }
}
