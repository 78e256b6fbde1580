//! Where the stores of the suite are: in folders, with SQLite.

use std::path::{Path, PathBuf};

use hemora_store::{Options, Store, StoreError};
use rusqlite::Connection;
use rusqlite::types::Value;

/// Opens a data folder.
pub fn open(folder: &Path, options: Options) -> Result<Store, StoreError> {
    Store::open(folder, options)
}

/// Where the instances of the node arrive.
pub fn inbox(folder: &Path) -> PathBuf {
    folder.join("inbox")
}

/// What a process needs to open the same.
pub fn environment(_: &Path) -> Vec<(&'static str, String)> {
    Vec::new()
}

/// How much longer than with SQLite it takes to open a store.
pub const SLOWER: u32 = 1;

/// Runs a statement behind the store's back; the first value of its answer.
pub fn ask(folder: &Path, sql: &str) -> String {
    let connection = Connection::open(folder.join("hemora.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    match rows.next().unwrap().map(|row| row.get(0).unwrap()) {
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Text(text)) => text,
        _ => String::new(),
    }
}
