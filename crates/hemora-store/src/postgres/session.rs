//! A connection to a server, with the statements that it knows.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;

use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, Error, Row, Statement};

use super::Server;
use super::statement::{Sent, translated, type_of};
use crate::StoreError;
use crate::sql::{Kind, Value};

/// Key of the lock that whoever writes holds: "HEMO".
const WRITING: i64 = 0x4845_4d4f;

/// Channel on which nodes tell each other of changes.
pub(super) const CHANNEL: &str = "hemora";

/// A connection to a server.
pub(crate) struct Session {
    server: Server,
    client: RefCell<Client>,
    statements: RefCell<HashMap<String, Statement>>,
    in_transaction: Cell<bool>,
}

impl Session {
    pub(super) fn new(server: Server, client: Client) -> Self {
        Self {
            server,
            client: RefCell::new(client),
            statements: RefCell::default(),
            in_transaction: Cell::new(false),
        }
    }

    /// The connection itself.
    pub(super) fn client(&self) -> RefMut<'_, Client> {
        self.client.borrow_mut()
    }

    /// Whether the connection is lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.client.borrow().is_closed()
    }

    /// Whether a transaction has begun and not ended.
    pub(crate) fn in_transaction(&self) -> bool {
        self.in_transaction.get() && !self.is_lost()
    }

    /// Runs statements that have neither parameters nor answers.
    pub(crate) fn run(&self, sql: &str) -> Result<(), StoreError> {
        if sql == "ROLLBACK" {
            self.in_transaction.set(false);
        }
        self.client().batch_execute(sql).map_err(failed)
    }

    /// Begins a transaction that writes, once nobody else does; connects anew if the connection was lost.
    pub(crate) fn begin_writing(&self) -> Result<(), StoreError> {
        // After the lock, each statement sees what others committed before.
        let sql = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITING})"
        );
        let mut begun = self.run(&sql);
        // A connection that was ended says so once, and is lost from the next word on.
        if begun.is_err() && self.run("ROLLBACK").is_err() {
            self.connect_again()?;
            begun = self.run(&sql);
        }
        if begun.is_err() && !self.is_lost() {
            let _ = self.run("ROLLBACK");
        }
        self.in_transaction.set(begun.is_ok());
        begun
    }

    /// Begins a transaction that sees one state of the database.
    pub(crate) fn begin_reading(&self) -> Result<(), StoreError> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.in_transaction.set(true);
        Ok(())
    }

    /// Ends a transaction: what it wrote lasts.
    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        self.in_transaction.set(false);
        // Of a transaction that has failed, COMMIT makes a rollback without a word; any other statement
        // says so.
        let committed = self.run("SELECT 1; COMMIT");
        if committed.is_err() && !self.is_lost() {
            let _ = self.run("ROLLBACK");
        }
        committed
    }

    /// Tells the other nodes, with the end of the transaction, that something changed.
    pub(crate) fn announce(&self) -> Result<(), StoreError> {
        let node = Value::Text(&self.server.instance);
        self.query("SELECT pg_notify(?1, ?2)", &[Value::Text(CHANNEL), node]).map(drop)
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.with(sql, values, |client, statement, values| client.execute(statement, values))
    }

    pub(crate) fn query(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.with(sql, values, |client, statement, values| client.query(statement, values))
    }

    fn with<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        run: impl FnOnce(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let statement = self.prepared(sql, values)?;
        let sent: Vec<Sent<'_>> = values.iter().copied().map(Sent).collect();
        let sent: Vec<&(dyn ToSql + Sync)> =
            sent.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        run(&mut self.client(), &statement, &sent).map_err(failed)
    }

    fn prepared(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = values.iter().map(type_of).collect();
        let statement = self.client().prepare_typed(&translated(sql), &types).map_err(failed)?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn connect_again(&self) -> Result<(), StoreError> {
        let client = self.server.client()?;
        self.statements.borrow_mut().clear();
        *self.client.borrow_mut() = client;
        Ok(())
    }
}

/// A cell of an answer.
pub(crate) fn cell(row: &Row, place: usize) -> Result<Value<'_>, StoreError> {
    let Some(column) = row.columns().get(place) else {
        return Err(StoreError::Damaged(format!("there is no column {place}")));
    };
    let none = Value::Null(Kind::Integer);
    let value = match *column.type_() {
        Type::BOOL => {
            row.try_get(place).map(|it: Option<bool>| it.map(|it| Value::Integer(it.into())))
        }
        Type::INT4 => {
            row.try_get(place).map(|it: Option<i32>| it.map(|it| Value::Integer(it.into())))
        }
        Type::INT8 => row.try_get(place).map(|it: Option<i64>| it.map(Value::Integer)),
        Type::FLOAT8 => row.try_get(place).map(|it: Option<f64>| it.map(Value::Real)),
        Type::TEXT => row.try_get(place).map(|it: Option<&str>| it.map(Value::Text)),
        Type::BYTEA => row.try_get(place).map(|it: Option<&[u8]>| it.map(Value::Blob)),
        ref other => {
            let what = format!("column {} is of type {other}", column.name());
            return Err(StoreError::Damaged(what));
        }
    };
    Ok(value.map_err(failed)?.unwrap_or(none))
}

/// What the server, or the way to it, reports. Details of the server's own are left out: they may hold values.
pub(super) fn failed(error: Error) -> StoreError {
    match error.as_db_error() {
        Some(said) if *said.code() == SqlState::DISK_FULL => {
            StoreError::Full { free: 0, reserve: 0 }
        }
        Some(said) => StoreError::Database(format!("{} ({})", said.message(), said.code().code())),
        None => StoreError::Database(with_causes(&error)),
    }
}

/// An error and what caused it.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
