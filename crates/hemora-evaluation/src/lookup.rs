//! The values of a column of another table, by id: groups, series, studies, subgroups.

use std::collections::HashMap;

use hemora_data::{Table, TableColumn, shorten, with_file};

use crate::{EvaluateError, Tally};

/// The value of each of `ids`; `None` where the table has no such id or an empty value.
///
/// # Errors
/// [`EvaluateError`] if the table cannot be read, lacks a column, or has two values for an id.
pub(crate) fn read_column(
    column: &TableColumn,
    ids: &[String],
) -> Result<Vec<Option<String>>, EvaluateError> {
    let indices: HashMap<&str, usize> =
        ids.iter().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
    let mut values = vec![None; ids.len()];
    let mut torn = Tally::default();
    with_file(&column.table, |file| {
        let table = Table::open(file)?;
        let (id, wanted) = (table.column(&column.id)?, table.column(&column.column)?);
        table.only([id, wanted]).for_each(|_, fields| {
            let value = fields[wanted].trim();
            let Some(&index) = indices.get(fields[id].trim()) else { return Ok(()) };
            match &values[index] {
                _ if value.is_empty() => {}
                None => values[index] = Some(value.to_owned()),
                Some(known) if known == value => {}
                Some(_) => torn.add(|| shorten(fields[id])),
            }
            Ok(())
        })
    })?;
    if torn.count > 0 {
        return Err(EvaluateError::Rows {
            path: column.table.clone(),
            what: "ids have two different values",
            tally: torn,
            todo: "give each id one row",
        });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_contradictions_named() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("t.csv");
        std::fs::write(&table, "id,sex\na,F\nb,\na,F\nz,M\n").unwrap();
        let column = TableColumn { table, id: "id".into(), column: "sex".into() };
        let ids = ["b", "a", "c"].map(str::to_owned);
        assert_eq!(read_column(&column, &ids).unwrap(), [None, Some("F".to_owned()), None]);
        std::fs::write(&column.table, "id,sex\na,F\na,M\n").unwrap();
        let error = read_column(&column, &ids).unwrap_err().to_string();
        assert!(error.contains("1 ids have two different values: a"), "{error}");
        let wrong = TableColumn { column: "age".into(), ..column };
        assert!(read_column(&wrong, &ids).unwrap_err().to_string().contains("`age`"));
    }
}
