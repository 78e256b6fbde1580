//! The suite of `it` with a database of PostgreSQL, and what several nodes of one do.

#[path = "../it/audit.rs"]
mod audit;
#[path = "../it/extras.rs"]
mod extras;
#[path = "../it/filing.rs"]
mod filing;
#[path = "../it/inbox.rs"]
mod inbox;
#[path = "../it/jobs.rs"]
mod jobs;
#[path = "../it/keeping.rs"]
mod keeping;
#[path = "../it/kill.rs"]
mod kill;
#[path = "../it/list.rs"]
mod list;
mod nodes;
#[path = "../it/outbox.rs"]
mod outbox;
#[path = "../it/people.rs"]
mod people;
mod place;
#[path = "../it/quality.rs"]
mod quality;
#[path = "../it/readings.rs"]
mod readings;
#[path = "../it/revisions.rs"]
mod revisions;
#[path = "../it/support.rs"]
mod support;
