//! The data folder and the database of a configuration, opened.

use hemora_store::{SharedDatabase, Store, StoreError};

use crate::config::Config;

/// Opens the data folder with its database, which several nodes may share.
pub(crate) fn open(config: &Config) -> Result<Store, StoreError> {
    match config.shared_database()? {
        None => Store::open(&config.node.data, config.store_options()),
        Some(shared) => open_shared(config, &shared),
    }
}

#[cfg(feature = "postgres")]
fn open_shared(config: &Config, shared: &SharedDatabase) -> Result<Store, StoreError> {
    Store::open_shared(&config.node.data, config.store_options(), shared)
}

#[cfg(not(feature = "postgres"))]
fn open_shared(_: &Config, _: &SharedDatabase) -> Result<Store, StoreError> {
    Err(not_built())
}

/// Whether a shared database answers.
#[cfg(feature = "postgres")]
pub(crate) fn check(shared: &SharedDatabase) -> Result<(), StoreError> {
    Store::check_shared(shared).map(drop)
}

#[cfg(not(feature = "postgres"))]
pub(crate) fn check(_: &SharedDatabase) -> Result<(), StoreError> {
    Err(not_built())
}

#[cfg(not(feature = "postgres"))]
fn not_built() -> StoreError {
    let why = "this hemora was built without PostgreSQL".to_owned();
    StoreError::Unusable { what: "the address of the database", why }
}
