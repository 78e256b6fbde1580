//! The store as a node uses it, and as it is found after the node was killed.

mod audit;
mod disk_full;
mod filing;
mod inbox;
mod jobs;
mod keeping;
mod kill;
mod list;
mod opening;
mod outbox;
mod revisions;
mod support;
mod syncs;
