//! The state of the node.

use std::collections::BTreeSet;

use axum::extract::State;
use chrono::{TimeDelta, Utc};
use hemora_store::{Counts, OutboxCounts, SourceRow};

use super::Node;
use super::answer::{Answer, Refused, blocking};
use super::types::{
    DestinationState, Disk, FailingDelivery, ImageSource, Queue, StudyDelivery, System,
};
use crate::config::{Config, Destination, Durability};
use crate::shared::Shared;

/// Deliveries that fail which are named, at most.
const FAILING: usize = 100;

/// The state of the node.
pub(super) async fn system(State(node): State<Node>) -> Answer<System> {
    blocking(move || state(&node)).await
}

fn state(node: &Shared) -> Result<System, Refused> {
    let counts = node.store.counts()?;
    let sources = node.store.sources(Utc::now() - TimeDelta::days(1))?;
    let failing = node.store.failing_deliveries(FAILING)?.into_iter().map(|row| FailingDelivery {
        study_instance_uid: row.study_uid.clone(),
        delivery: StudyDelivery::from(row),
    });
    let config = &node.config;
    Ok(System {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node_uid: node.uid.clone(),
        ae_title: config.node.ae_title.clone(),
        started_at: node.started_at,
        durability: match config.node.durability {
            Durability::Power => "power",
            Durability::Process => "process",
        }
        .to_owned(),
        sources: sources.into_iter().map(source).collect(),
        queue: Queue {
            waiting: counts.jobs_waiting,
            scoring: counts.jobs_leased,
            failed: counts.jobs_dead,
        },
        disk: Disk {
            free: counts.disk_free,
            reserve: config.keep.reserve.0,
            images: counts.bytes,
            at_most: config.keep.at_most.0,
            studies: counts.studies.values().sum(),
        },
        destinations: destinations(config, &counts),
        failing: failing.collect(),
        model: node.model.get().cloned(),
        configuration: without_secrets(config).resolved(),
    })
}

fn source(row: SourceRow) -> ImageSource {
    ImageSource {
        ae_title: row.calling_ae,
        peer: row.peer,
        associations: row.associations,
        open: row.open,
        broken: row.broken,
        images: row.images,
        last_at: row.last_at,
    }
}

/// Every destination that is configured or that something is kept for.
fn destinations(config: &Config, counts: &Counts) -> Vec<DestinationState> {
    let configured = config.destinations.iter().map(Destination::name);
    let names: BTreeSet<&str> =
        configured.chain(counts.outbox.keys().map(String::as_str)).collect();
    let state = |name: &str| {
        let configured = config.destinations.iter().find(|it| it.name() == name);
        let OutboxCounts { waiting, failing, given_up, delivered } =
            counts.outbox.get(name).copied().unwrap_or_default();
        DestinationState {
            name: name.to_owned(),
            kind: configured.map(kind).unwrap_or_default().to_owned(),
            waiting,
            failing,
            given_up,
            delivered,
        }
    };
    names.into_iter().map(state).collect()
}

fn kind(destination: &Destination) -> &'static str {
    match destination {
        Destination::Dicom(_) => "dicom",
        Destination::Hl7(_) => "hl7",
        Destination::Fhir(_) => "fhir",
        Destination::Webhook(_) => "webhook",
    }
}

/// The configuration without what lets whoever reads it in elsewhere: secrets stand in files, whose names
/// stay, but an address may hold a password, and that of a webhook is often a secret itself.
fn without_secrets(config: &Config) -> Config {
    let mut shown = config.clone();
    for destination in &mut shown.destinations {
        match destination {
            Destination::Webhook(it) => it.url = origin_alone(&it.url),
            Destination::Fhir(it) => it.url = without_user(&it.url),
            Destination::Dicom(_) | Destination::Hl7(_) => {}
        }
    }
    shown
}

/// Scheme and host, and whether there is more.
fn origin_alone(url: &str) -> String {
    let url = without_user(url);
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    match rest.find(['/', '?', '#']) {
        Some(at) if rest.len() > at + 1 => format!("{scheme}://{}/…", &rest[..at]),
        _ => url,
    }
}

/// An address without user, password, query and fragment.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.find(['?', '#']).map_or(path, |at| &path[..at]);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_lets_in() {
        assert_eq!(without_user("https://u:p@fhir.example/R4?key=1#x"), "https://fhir.example/R4");
        assert_eq!(without_user("http://10.0.0.1:8080"), "http://10.0.0.1:8080");
        assert_eq!(
            origin_alone("https://u:p@chat.example/hooks/T0/secret"),
            "https://chat.example/…"
        );
        assert_eq!(origin_alone("https://chat.example/"), "https://chat.example/");
        assert_eq!(origin_alone("https://chat.example?token=secret"), "https://chat.example");
    }

    #[test]
    fn the_configuration_is_shown_without_secrets() {
        let config = Config::parse(
            "[node]\nresearch_protocol = \"x\"\n[[destination]]\nname = \"chat\"\nkind = \"webhook\"\n\
             url = \"https://chat.example/hooks/topsecret\"\nsecret_file = \"/etc/hemora/key\"\n",
        );
        let shown = without_secrets(&config.unwrap()).resolved();
        assert!(!shown.contains("topsecret"), "{shown}");
        assert!(shown.contains("/etc/hemora/key") && shown.contains("https://chat.example/…"));
    }
}
