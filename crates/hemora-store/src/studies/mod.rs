//! Studies: what they hold, which state they are in, which comes first.

mod arrive;
mod extras;
mod held;
mod list;
mod refresh;
mod row;
mod settle;
mod state;

pub(crate) use arrive::{NewInstance, touch};
pub use extras::StudyExtras;
pub use list::{Cursor, ListQuery, Page};
pub(crate) use refresh::{exists, refresh};
pub use row::{InstanceRow, StudyRow};
pub(crate) use row::{count, hash};
pub use settle::{Revision, Settled};
pub(crate) use state::words;
pub use state::{Class, StudyState};
