//! From the words of SQLite to those of PostgreSQL.

use bytes::BytesMut;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::sql::{Kind, Value};

/// A statement in PostgreSQL's words: `?1` is `$1`, and the `CROSS JOIN … ON` by which SQLite is told the
/// order of a join is a plain join.
pub(super) fn translated(sql: &str) -> String {
    let mut parts = sql.split('\'');
    let mut translated = parts.next().unwrap_or_default().replace('?', "$");
    // What stands between quotes is text.
    for (place, part) in parts.enumerate() {
        translated.push('\'');
        match place % 2 {
            0 => translated.push_str(part),
            _ => translated.push_str(&part.replace('?', "$")),
        }
    }
    translated.replace("CROSS JOIN", "JOIN")
}

/// The type that a value is sent as.
pub(super) fn type_of(value: &Value<'_>) -> Type {
    match value.kind() {
        Kind::Integer => Type::INT8,
        Kind::Real => Type::FLOAT8,
        Kind::Text => Type::TEXT,
        Kind::Blob => Type::BYTEA,
    }
}

/// A value as it is sent.
#[derive(Debug)]
pub(super) struct Sent<'v>(pub(super) Value<'v>);

type Written = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Sent<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match self.0 {
            Value::Null(_) => Ok(IsNull::Yes),
            Value::Integer(it) => it.to_sql(ty, out),
            Value::Real(it) => it.to_sql(ty, out),
            // PostgreSQL's texts hold no NUL, which some devices pad with: its picture stands for it.
            Value::Text(it) if it.contains('\0') => it.replace('\0', "\u{2400}").to_sql(ty, out),
            Value::Text(it) => it.to_sql(ty, out),
            Value::Blob(it) => it.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_joins_are_translated_and_texts_are_not() {
        let sql = "SELECT 'what?1', x FROM a CROSS JOIN b ON a.x = b.x WHERE y = ?1 AND z = '?' OR n > ?2";
        let expected =
            "SELECT 'what?1', x FROM a JOIN b ON a.x = b.x WHERE y = $1 AND z = '?' OR n > $2";
        assert_eq!(translated(sql), expected);
    }
}
