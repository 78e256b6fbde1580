//! A connection while somebody works with it, of whichever database.

use rusqlite::params_from_iter;
use rusqlite::types::{Null, ToSql, ToSqlOutput, ValueRef};

use super::{Parameter, Row, Value};
use crate::StoreError;

/// A connection within a transaction. A statement is prepared once a connection.
pub(crate) enum Connection<'c> {
    /// To SQLite.
    Sqlite(&'c rusqlite::Connection),
    /// To PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'c crate::postgres::Session),
}

/// Parameters of a statement, in the order of their numbers: an array of one type, or [`super::params!`].
pub(crate) trait Params {
    fn values(&self) -> Vec<Value<'_>>;
}

impl<T: Parameter, const N: usize> Params for [T; N] {
    fn values(&self) -> Vec<Value<'_>> {
        self.iter().map(T::value).collect()
    }
}

impl Params for &[&dyn Parameter] {
    fn values(&self) -> Vec<Value<'_>> {
        self.iter().map(|parameter| parameter.value()).collect()
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null(_) => Null.into(),
            Self::Integer(it) => (*it).into(),
            Self::Real(it) => (*it).into(),
            Self::Text(it) => ToSqlOutput::Borrowed(ValueRef::Text(it.as_bytes())),
            Self::Blob(it) => ToSqlOutput::Borrowed(ValueRef::Blob(it)),
        })
    }
}

impl Connection<'_> {
    /// Tells the other nodes of the database, with the end of the transaction, that something changed.
    pub(crate) fn announce(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.announce(),
        }
    }

    /// Runs a statement; how many rows it added, changed or removed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let values = params_from_iter(params.values());
                Ok(connection.prepare_cached(sql)?.execute(values)? as u64)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.execute(sql, &params.values()),
        }
    }

    /// All rows of an answer.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params_from_iter(params.values()))?;
                let mut all = Vec::new();
                while let Some(row) = rows.next()? {
                    all.push(read(&Row::Sqlite(row))?);
                }
                Ok(all)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => {
                let rows = session.query(sql, &params.values())?;
                rows.iter().map(|row| read(&Row::Postgres(row))).collect()
            }
        }
    }

    /// The first row of an answer, if it has one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params_from_iter(params.values()))?;
                rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(self.rows(sql, params, read)?.into_iter().next()),
        }
    }

    /// The row of an answer that has one whatever the database holds.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let found = self.first(sql, params, read)?;
        found.ok_or_else(|| StoreError::Damaged("a row is missing".to_owned()))
    }

    /// Whether an answer has a row.
    pub(crate) fn any(&self, sql: &str, params: impl Params) -> Result<bool, StoreError> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}
