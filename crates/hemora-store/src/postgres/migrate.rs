//! Numbered schemas of the shared database, and which data folder it belongs to.

use std::io::Write;
use std::path::Path;

use hemora_base::write_whole;
use postgres::Transaction;

use super::Server;
use super::session::failed;
use crate::StoreError;
use crate::folder::DATABASE;

/// The steps, the first from an empty database.
const STEPS: &[&str] = &[include_str!("../schema/postgres/0001.sql")];

/// Key of the lock that whoever brings the schema up holds: "HEMS".
const CHANGING: i64 = 0x4845_4d53;

impl Server {
    /// Makes the tables or brings them up to date, unless a newer program has, and ties the data folder to the
    /// database: neither is of use without the other.
    pub(crate) fn prepare(&self, folder: &Path) -> Result<(), StoreError> {
        let mut client = self.client()?;
        let mut transaction = client.transaction().map_err(failed)?;
        let sql = format!(
            "SELECT pg_advisory_xact_lock({CHANGING});
             CREATE TABLE IF NOT EXISTS hemora (schema BIGINT NOT NULL, folder TEXT NOT NULL)"
        );
        transaction.batch_execute(&sql).map_err(failed)?;
        let (taken, tied) = said(&mut transaction)?;
        self.refuse_newer(taken)?;
        for sql in &STEPS[taken..] {
            transaction.batch_execute(sql).map_err(failed)?;
        }
        let name = self.tie(folder, tied, &mut transaction)?;
        transaction.batch_execute("DELETE FROM hemora").map_err(failed)?;
        let sql = "INSERT INTO hemora (schema, folder) VALUES ($1, $2)";
        transaction.execute(sql, &[&(STEPS.len() as i64), &name]).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// Whether the server answers and its tables, if there are any, are none of a newer program.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let mut client = self.client()?;
        let mut transaction = client.transaction().map_err(failed)?;
        let there = transaction.query_one("SELECT to_regclass('hemora') IS NOT NULL", &[]);
        if there.and_then(|row| row.try_get(0)).map_err(failed)? {
            self.refuse_newer(said(&mut transaction)?.0)?;
        }
        Ok(())
    }

    fn refuse_newer(&self, taken: usize) -> Result<(), StoreError> {
        let known = STEPS.len();
        if taken > known {
            let (folder, found) = (self.to_string().into(), taken as u32);
            return Err(StoreError::Newer { folder, found, known: known as u32 });
        }
        Ok(())
    }

    /// The name by which folder and database know each other, which the first node makes.
    fn tie(
        &self,
        folder: &Path,
        tied: Option<String>,
        transaction: &mut Transaction<'_>,
    ) -> Result<String, StoreError> {
        let path = folder.join(DATABASE);
        let found = match std::fs::read_to_string(&path) {
            Ok(name) => Some(name.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        match (tied, found) {
            (Some(tied), Some(found)) if tied == found => Ok(tied),
            (Some(_), _) => Err(StoreError::OtherDatabase {
                folder: folder.to_owned(),
                database: format!("the database at {self}"),
            }),
            // The first node was killed before it had said so to the database.
            (None, Some(found)) => Ok(found),
            (None, None) => {
                let row = transaction.query_one("SELECT gen_random_uuid()::text", &[]);
                let name: String = row.and_then(|row| row.try_get(0)).map_err(failed)?;
                let written = write_whole(&path, |file| writeln!(file, "{name}"));
                written.map_err(|error: std::io::Error| StoreError::io(&path, error))?;
                Ok(name)
            }
        }
    }
}

/// Steps that were taken, and the folder that the database is tied to.
fn said(transaction: &mut Transaction<'_>) -> Result<(usize, Option<String>), StoreError> {
    let row = transaction.query_opt("SELECT schema, folder FROM hemora", &[]).map_err(failed)?;
    let Some(row) = row else { return Ok((0, None)) };
    let taken: i64 = row.try_get(0).map_err(failed)?;
    let taken =
        usize::try_from(taken).map_err(|_| StoreError::Damaged(format!("schema {taken}")))?;
    Ok((taken, Some(row.try_get(1).map_err(failed)?)))
}
