//! A column of a table by the ids of its rows, as users write it: `TABLE:ID:COLUMN`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::table::shorten;

/// A table, its column of ids and the column that is wanted: `TABLE:ID:COLUMN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// The table, CSV or Parquet; its path may have colons.
    pub table: PathBuf,
    /// Name of the column of ids.
    pub id: String,
    /// Name of the column that is wanted.
    pub column: String,
}

/// Which images belong together: `TABLE` with a row a series, or `TABLE:ID:GROUP` with a row an
/// image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupTable {
    /// A wide table: `scan_id`, then a column an image.
    Series(PathBuf),
    /// A column that images of one group share.
    Column(TableColumn),
}

/// A text that names no column of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no column of a table; expected {expected}")]
pub struct TableColumnError {
    text: String,
    expected: &'static str,
}

/// Table, ids and column, from the right: a path may have colons, a column none.
fn parts(text: &str) -> Option<TableColumn> {
    let mut parts = text.rsplitn(3, ':');
    let (column, id, table) = (parts.next()?, parts.next()?, parts.next()?);
    let all = !column.is_empty() && !id.is_empty() && !table.is_empty();
    all.then(|| TableColumn { table: table.into(), id: id.to_owned(), column: column.to_owned() })
}

impl FromStr for TableColumn {
    type Err = TableColumnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "TABLE:ID_COLUMN:COLUMN, such as labels.csv:Image:PatientID";
        parts(text).ok_or_else(|| TableColumnError { text: shorten(text), expected })
    }
}

impl fmt::Display for TableColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.table.display(), self.id, self.column)
    }
}

impl FromStr for GroupTable {
    type Err = TableColumnError;

    /// A text of which the last part is a path, or has an extension as table files have, is a table
    /// alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "TABLE, or TABLE:ID_COLUMN:GROUP_COLUMN";
        let last = text.rsplit(':').next().unwrap_or_default();
        let is_file = [".csv", ".tsv", ".parquet"].iter().any(|end| last.ends_with(end));
        if !text.is_empty() && (is_file || last.contains('/') || last == text) {
            return Ok(Self::Series(text.into()));
        }
        let column = parts(text).map(Self::Column);
        column.ok_or_else(|| TableColumnError { text: shorten(text), expected })
    }
}

impl fmt::Display for GroupTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(path) => path.display().fmt(formatter),
            Self::Column(column) => column.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_have_colons() {
        for text in ["C:/a b.csv:Image:PatientID", "a.csv:id:group", "s3://x:1/y.parquet:a:b"] {
            let column: TableColumn = text.parse().unwrap();
            assert_eq!(column.to_string(), text);
            assert_eq!(text.parse(), Ok(GroupTable::Column(column)));
        }
        let column: TableColumn = "C:/a b.csv:Image:PatientID".parse().unwrap();
        assert_eq!((column.table, column.id), ("C:/a b.csv".into(), "Image".to_owned()));
        for wrong in ["a.csv", "a.csv:id", ":id:group", "a.csv::group", "a.csv:id:", ""] {
            let error = wrong.parse::<TableColumn>().unwrap_err().to_string();
            assert!(error.contains("TABLE:ID_COLUMN:COLUMN"), "{error}");
        }
    }

    #[test]
    fn groups_may_be_a_table_alone() {
        for text in ["series.csv", "C:/series.csv", "C:/of: all/series", "series"] {
            assert_eq!(text.parse(), Ok(GroupTable::Series(text.into())), "{text}");
            assert_eq!(text.parse::<GroupTable>().unwrap().to_string(), text);
        }
        for wrong in ["a.csv:id", "a.csv::group", ""] {
            let error = wrong.parse::<GroupTable>().unwrap_err().to_string();
            assert!(error.contains("GROUP_COLUMN"), "{error}");
        }
    }
}
