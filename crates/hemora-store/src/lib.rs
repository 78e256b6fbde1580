//! What a node keeps: the inbox, the database, jobs, the outbox.
//!
//! A [`Store`] is one data folder, which only this crate writes to:
//!
//! ```text
//! lock            held while a node runs; says which process holds it
//! hemora.db       SQLite (write-ahead log): everything but images
//! inbox/          pre-made files that instances arrive in; all that recovery looks at
//! studies/ab/…/   images, by hashes of their UIDs, never by the UIDs
//! ```
//!
//! Several nodes may share one folder and, with the feature `postgres`, one database of a PostgreSQL server
//! (`Store::open_shared`). Each then has a folder of its own within, with its lock and inbox, and a node that
//! ends without filing what it acknowledged is looked after by the others
//! ([`Store::adopt_from_dead_nodes`]):
//!
//! ```text
//! nodes/NAME/     lock and inbox/ of one node
//! database        which database the folder belongs to
//! studies/ab/…/   images of all
//! ```
//!
//! An instance is written into a [`Draft`], sealed, and [kept](Store::keep). When `keep` returns, the
//! instance is on the disk and is found again whatever happens; it gets its place and its rows a moment
//! later, in batches. [`Store::settle`] makes a revision of a study, with a job ([`Store::lease`]);
//! [`Store::complete`] stores the result with the deliveries that it causes, which wait in the outbox
//! ([`Store::lease_delivery`]) until they are acknowledged. What shows images ([`Artifact`]) is kept with
//! the result until they go.
//!
//! Readers open studies, acknowledge them, whoever is first ([`Store::acknowledge`]), and say what they hold
//! of them. Who may is decided elsewhere, from users, sessions and tokens that are kept here
//! ([`Store::session`], [`Store::token`]).
//!
//! Time is always passed in. Whoever waits for the disk is the caller's thread: every call may block
//! for as long as a disk sync takes.

mod associations;
mod audit;
mod changes;
mod counts;
mod database;
mod error;
mod folder;
mod inbox;
mod keeping;
mod memory;
mod nodes;
mod options;
mod people;
#[cfg(feature = "postgres")]
mod postgres;
mod quality;
mod readings;
mod settings;
mod sources;
mod sql;
mod sqlite;
mod store;
mod studies;
mod time;
mod work;

pub use associations::{AssociationEnd, NewAssociation};
pub use audit::{AuditError, AuditQuery, AuditRow, NewAudit};
pub use counts::{Counts, OutboxCounts};
pub use error::StoreError;
pub use inbox::{Arrival, Draft, Kept, Recovery, Sealed};
pub use keeping::{BackedUp, BackupImages, Evicted, Forgotten, Restored, Retention};
pub use nodes::{Adopted, check_node_name, own_folder};
pub use options::{Durability, Options, SharedDatabase};
pub use people::{SessionRow, TokenRow, UserRow, UserUpdate};
pub use quality::QualityRow;
pub use readings::{Acknowledgement, Reading, ReadingEvent};
pub use settings::Setting;
pub use sources::SourceRow;
pub use store::Store;
pub use studies::{
    Class, Cursor, InstanceRow, ListQuery, Page, Revision, Settled, StudyExtras, StudyRow,
    StudyState,
};
pub use work::{
    Artifact, Delivery, DeliveryRow, DeliveryState, Job, JobFate, LONGEST_DELAY, LONGEST_LEASE,
    NewDelivery, RevisionResult,
};
