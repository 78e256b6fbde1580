//! The rows of all shares in one order, a group of each at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hemora_data::CellReader;

use super::shares::Shares;
use crate::ArchiveError;
use crate::tables::{Row, TableKind, in_table};

/// Calls `each` with the rows of a table of all shares, in the order of `key`, by which the rows of each share
/// are ordered already. Rows of one key are of one share, and keep their order.
pub(super) fn in_order<K: Ord>(
    shares: &Shares,
    kind: TableKind,
    key: impl Fn(&Row) -> K,
    each: &mut dyn FnMut(Row) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut streams = Vec::new();
    let mut heads = BinaryHeap::new();
    for file in shares.files(kind.name()) {
        let file = file?;
        let mut rows = kind.open(file.path())?;
        let name = file.path().display().to_string();
        if let Some(row) = next(&mut rows, &name)? {
            heads.push(Reverse((key(&row), streams.len())));
            // A copy of an object stays until its rows are read.
            streams.push((rows, name, file, row));
        }
    }
    while let Some(Reverse((_, at))) = heads.pop() {
        let (rows, name, _, head) = &mut streams[at];
        let row = match next(rows, name)? {
            Some(next) => {
                heads.push(Reverse((key(&next), at)));
                std::mem::replace(head, next)
            }
            None => std::mem::take(head),
        };
        each(row)?;
    }
    Ok(())
}

fn next(rows: &mut CellReader, name: &str) -> Result<Option<Row>, ArchiveError> {
    rows.next().transpose().map_err(in_table(name))
}
