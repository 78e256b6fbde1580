//! The store as a node uses it, and as it is found after the node was killed.

mod audit;
mod backup;
mod disk_full;
mod extras;
mod filing;
mod inbox;
mod jobs;
mod keeping;
mod kill;
mod list;
mod migrating;
mod opening;
mod outbox;
mod people;
mod place;
mod quality;
mod readings;
mod revisions;
mod support;
mod syncs;
