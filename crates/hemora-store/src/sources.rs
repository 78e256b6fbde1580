//! Who sends images.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use chrono::{DateTime, Utc};

use crate::sql::Row;
use crate::studies::count;
use crate::time::{at, millis};
use crate::{Store, StoreError};

/// Sources that are told of, at most: a peer may call itself what it likes.
const MOST: usize = 200;

/// What a peer did of late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// AE title of the peer.
    pub calling_ae: String,
    /// Its address, without the port.
    pub peer: String,
    /// Associations that it opened.
    pub associations: u64,
    /// Those of them that are still open.
    pub open: u64,
    /// Those that were aborted or timed out.
    pub broken: u64,
    /// Images that came by them.
    pub images: u64,
    /// When the last one was opened.
    pub last_at: DateTime<Utc>,
}

impl SourceRow {
    /// One association.
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let peer: String = row.get("peer")?;
        let address = peer.parse::<SocketAddr>().map(|address| address.ip().to_string());
        Ok(Self {
            calling_ae: row.get("calling_ae")?,
            peer: address.unwrap_or(peer),
            associations: 1,
            open: count(row, "open")?,
            broken: count(row, "broken")?,
            images: count(row, "images")?,
            last_at: at(row.get("opened_at")?),
        })
    }
}

impl Store {
    /// Who opened associations then or later, and what came of these; the latest first, at most 200.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn sources(&self, since: DateTime<Utc>) -> Result<Vec<SourceRow>, StoreError> {
        let sql = "SELECT calling_ae, peer, opened_at, how IS NULL AS open,
                CASE WHEN how IN ('aborted', 'timed out') THEN 1 ELSE 0 END AS broken,
                (SELECT count(*) FROM instance WHERE association_id = association.id) AS images
             FROM association WHERE opened_at >= ?1";
        let all = self.read(|connection| connection.rows(sql, [millis(since)], SourceRow::read))?;
        let mut sources: BTreeMap<(String, String), SourceRow> = BTreeMap::new();
        for row in all {
            let key = (row.calling_ae.clone(), row.peer.clone());
            match sources.get_mut(&key) {
                None => drop(sources.insert(key, row)),
                Some(source) => {
                    source.associations += 1;
                    source.open += row.open;
                    source.broken += row.broken;
                    source.images += row.images;
                    source.last_at = source.last_at.max(row.last_at);
                }
            }
        }
        let mut sources: Vec<_> = sources.into_values().collect();
        sources.sort_by_key(|source| std::cmp::Reverse(source.last_at));
        sources.truncate(MOST);
        Ok(sources)
    }
}
