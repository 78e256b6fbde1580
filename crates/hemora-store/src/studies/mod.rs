//! Studies: what they hold, which state they are in, which comes first.

mod list;
mod row;
mod settle;
mod state;

pub use list::{Cursor, ListQuery, Page};
pub use row::{InstanceRow, StudyRow};
pub use settle::{Revision, Settled};
pub(crate) use state::words;
pub use state::{Class, StudyState};
