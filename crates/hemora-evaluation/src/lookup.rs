//! A column of another table, by id: groups, series, studies, subgroups.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use hemora_data::{Table, TableColumn, TableColumnError, shorten, with_file};

use crate::{EvaluateError, Tally};

/// A table, its column of ids and the column that is wanted: `CSV:ID:COLUMN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The table.
    pub path: PathBuf,
    /// The column that holds the ids.
    pub id: String,
    /// The column that is wanted.
    pub column: String,
}

impl FromStr for Lookup {
    type Err = TableColumnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let TableColumn { table, id, column } = text.parse()?;
        Ok(Self { path: table, id, column })
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.path.display(), self.id, self.column)
    }
}

impl Lookup {
    /// The value of each of `ids`; `None` where the table has no such id or an empty value.
    ///
    /// # Errors
    /// [`EvaluateError`] if the table cannot be read, lacks a column, or says two things of an id.
    pub fn read(&self, ids: &[String]) -> Result<Vec<Option<String>>, EvaluateError> {
        let places: HashMap<&str, usize> =
            ids.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
        let mut values = vec![None; ids.len()];
        let mut torn = Tally::default();
        with_file(&self.path, |file| {
            let table = Table::open(file)?;
            let (id, column) = (table.column(&self.id)?, table.column(&self.column)?);
            table.for_each(|_, fields| {
                let value = fields[column].trim();
                let Some(&place) = places.get(fields[id].trim()) else { return Ok(()) };
                match &values[place] {
                    _ if value.is_empty() => {}
                    None => values[place] = Some(value.to_owned()),
                    Some(known) if known == value => {}
                    Some(_) => torn.add(|| shorten(fields[id])),
                }
                Ok(())
            })
        })?;
        if torn.count > 0 {
            return Err(EvaluateError::Rows {
                path: self.path.clone(),
                what: "ids have two different values",
                tally: torn,
                todo: "give each id one row",
            });
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_hold_colons() {
        let lookup: Lookup = "C:/a b.csv:Image:PatientID".parse().unwrap();
        assert_eq!((lookup.path, lookup.id), ("C:/a b.csv".into(), "Image".to_owned()));
        for bad in ["a.csv", "a.csv:id", ":id:group", "a.csv::group", ""] {
            assert!(bad.parse::<Lookup>().is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_found_and_contradictions_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "id,sex\na,F\nb,\na,F\nz,M\n").unwrap();
        let lookup = Lookup { path: path.clone(), id: "id".into(), column: "sex".into() };
        let ids = ["b", "a", "c"].map(str::to_owned);
        assert_eq!(lookup.read(&ids).unwrap(), [None, Some("F".to_owned()), None]);
        std::fs::write(&path, "id,sex\na,F\na,M\n").unwrap();
        let error = lookup.read(&ids).unwrap_err().to_string();
        assert!(error.contains("1 ids have two different values: a"), "{error}");
        let wrong = Lookup { column: "age".into(), ..lookup };
        assert!(wrong.read(&ids).unwrap_err().to_string().contains("`age`"));
    }
}
