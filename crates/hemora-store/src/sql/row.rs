//! What statements answer.

use rusqlite::types::ValueRef;

use super::Value;
use super::value::Kind;
use crate::StoreError;

/// A row of an answer.
pub(crate) enum Row<'r> {
    /// Of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'r postgres::Row),
}

/// Which column: its name, or its place from 0.
pub(crate) trait Place: Copy + std::fmt::Display {
    fn in_sqlite(self, row: &rusqlite::Row<'_>) -> Result<usize, StoreError>;
    #[cfg(feature = "postgres")]
    fn in_postgres(self, row: &postgres::Row) -> Option<usize>;
}

impl Place for usize {
    fn in_sqlite(self, _: &rusqlite::Row<'_>) -> Result<usize, StoreError> {
        Ok(self)
    }

    #[cfg(feature = "postgres")]
    fn in_postgres(self, _: &postgres::Row) -> Option<usize> {
        Some(self)
    }
}

impl Place for &str {
    fn in_sqlite(self, row: &rusqlite::Row<'_>) -> Result<usize, StoreError> {
        Ok(row.as_ref().column_index(self)?)
    }

    #[cfg(feature = "postgres")]
    fn in_postgres(self, row: &postgres::Row) -> Option<usize> {
        row.columns().iter().position(|column| column.name() == self)
    }
}

/// What a cell of a row can be read as.
pub(crate) trait Column: Sized {
    /// `None` if the cell holds something else.
    fn read(cell: Value<'_>) -> Option<Self>;
}

impl Row<'_> {
    /// The value of a column.
    pub(crate) fn get<P: Place, T: Column>(&self, place: P) -> Result<T, StoreError> {
        let cell = match self {
            Self::Sqlite(row) => {
                let cell = row.get_ref(place.in_sqlite(row)?)?;
                match cell {
                    ValueRef::Null => Value::Null(Kind::Integer),
                    ValueRef::Integer(it) => Value::Integer(it),
                    ValueRef::Real(it) => Value::Real(it),
                    ValueRef::Blob(it) => Value::Blob(it),
                    ValueRef::Text(it) => {
                        Value::Text(std::str::from_utf8(it).map_err(|error| {
                            StoreError::Damaged(format!("column {place} is no text: {error}"))
                        })?)
                    }
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => {
                let found = place.in_postgres(row);
                let found = found
                    .ok_or_else(|| StoreError::Damaged(format!("there is no column {place}")))?;
                crate::postgres::cell(row, found)?
            }
        };
        let damaged =
            || StoreError::Damaged(format!("column {place} does not hold what it should"));
        T::read(cell).ok_or_else(damaged)
    }
}

impl Column for i64 {
    fn read(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Integer(it) => Some(it),
            _ => None,
        }
    }
}

impl Column for u32 {
    fn read(cell: Value<'_>) -> Option<Self> {
        i64::read(cell).and_then(|it| it.try_into().ok())
    }
}

impl Column for bool {
    fn read(cell: Value<'_>) -> Option<Self> {
        i64::read(cell).map(|it| it != 0)
    }
}

impl Column for f64 {
    fn read(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Real(it) => Some(it),
            Value::Integer(it) => Some(it as f64),
            _ => None,
        }
    }
}

impl Column for String {
    fn read(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Text(it) => Some(it.to_owned()),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Blob(it) => Some(it.to_vec()),
            _ => None,
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(cell: Value<'_>) -> Option<Self> {
        match cell {
            Value::Null(_) => Some(None),
            cell => T::read(cell).map(Some),
        }
    }
}
