//! The columns of a Parquet file: as cells of an index, or as the fields of a table's rows.

use std::fs::File;
use std::panic::AssertUnwindSafe;

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::index::Cell;

/// Rows that are held at once.
pub(crate) const BATCH: usize = 8192;
/// Longest text of a field, bytes, as of a CSV's row.
const MAX_TEXT: usize = 1 << 16;

/// A Parquet file as a table: its flat columns of text, numbers and truth values. Others cannot be
/// asked for.
pub(crate) struct ParquetRows {
    reader: SerializedFileReader<File>,
    /// Names of the columns, and their places in the file.
    columns: Vec<(String, usize)>,
}

impl ParquetRows {
    pub(crate) fn open(file: File) -> Result<Self, String> {
        let reader = caught(|| SerializedFileReader::new(file)).map_err(|error| reason(&error))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let readable = |kind| !matches!(kind, Physical::INT96 | Physical::FIXED_LEN_BYTE_ARRAY);
        let columns = schema
            .columns()
            .iter()
            .enumerate()
            .filter(|(_, column)| {
                column.path().parts().len() == 1
                    && column.max_rep_level() == 0
                    && readable(column.physical_type())
            })
            .map(|(place, column)| (column.name().to_owned(), place))
            .collect();
        Ok(Self { reader, columns })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Calls `row` with the fields of each row: what is absent is empty, truth values are 0 and 1.
    /// An error of `row` is given with the row's number, from 1; others with the rows read so far.
    pub(crate) fn for_each(
        self,
        mut row: impl FnMut(u64, &[&str]) -> Result<(), String>,
    ) -> Result<u64, (u64, String)> {
        let mut rows = 0u64;
        for group in 0..self.reader.num_row_groups() {
            let at = |error: ParquetError, rows: u64| (rows, reason(&error));
            let group = caught(|| self.reader.get_row_group(group));
            let group = group.map_err(|error| at(error, rows))?;
            let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let readers = caught(|| self.readers(group.as_ref()));
            let mut readers = readers.map_err(|error| at(error, rows))?;
            while left > 0 {
                let count = left.min(BATCH);
                let mut columns = Vec::with_capacity(readers.len());
                for reader in &mut readers {
                    let cells = caught(|| read_cells(reader, count));
                    let cells = cells.map_err(|error| at(error, rows))?;
                    if cells.len() != count {
                        let found = cells.len();
                        return Err((rows, format!("{found} of {count} values of a column")));
                    }
                    columns.push(cells.into_iter().map(field).collect::<Vec<String>>());
                }
                for place in 0..count {
                    let fields: Vec<&str> =
                        columns.iter().map(|column| column[place].as_str()).collect();
                    rows += 1;
                    if let Some(long) = fields.iter().find(|field| field.len() > MAX_TEXT) {
                        return Err((rows, format!("a text of {} bytes", long.len())));
                    }
                    row(rows, &fields).map_err(|reason| (rows, reason))?;
                }
                left -= count;
            }
        }
        Ok(rows)
    }

    fn readers(&self, group: &dyn RowGroupReader) -> Result<Vec<ColumnReader>, ParquetError> {
        self.columns.iter().map(|(_, place)| group.get_column_reader(*place)).collect()
    }
}

/// The Parquet library asserts some of what a broken file gets wrong, such as negative offsets.
pub(crate) fn caught<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let result = std::panic::catch_unwind(AssertUnwindSafe(read));
    result.unwrap_or_else(|_| Err(ParquetError::General("values out of range".to_owned())))
}

/// Why a file cannot be read, with what to do where that is known.
fn reason(error: &ParquetError) -> String {
    let text = error.to_string();
    if text.contains("Disabled feature") {
        return format!(
            "{text}; write the file with snappy compression or none, as pandas and DuckDB do \
             without being asked"
        );
    }
    text
}

fn field(cell: Cell) -> String {
    match cell {
        Cell::Text(value) => value.unwrap_or_default(),
        Cell::Whole(value) => value.map_or_else(String::new, |value| value.to_string()),
        Cell::Real(value) => value.map_or_else(String::new, |value| value.to_string()),
        Cell::Bool(value) => value.map_or_else(String::new, |value| u8::from(value).to_string()),
    }
}

/// The next `count` values of a column; fewer at its end.
pub(crate) fn read_cells(
    reader: &mut ColumnReader,
    count: usize,
) -> Result<Vec<Cell>, ParquetError> {
    match reader {
        ColumnReader::ByteArrayColumnReader(reader) => read_values(reader, count, |value| {
            let text = |bytes: ByteArray| bytes.as_utf8().map(str::to_owned);
            value.map(text).transpose().map(Cell::Text)
        }),
        ColumnReader::Int32ColumnReader(reader) => {
            read_values(reader, count, |value| Ok(Cell::Whole(value.map(i64::from))))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            read_values(reader, count, |value| Ok(Cell::Whole(value)))
        }
        ColumnReader::FloatColumnReader(reader) => {
            read_values(reader, count, |value| Ok(Cell::Real(value.map(f64::from))))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            read_values(reader, count, |value| Ok(Cell::Real(value)))
        }
        ColumnReader::BoolColumnReader(reader) => {
            read_values(reader, count, |value| Ok(Cell::Bool(value)))
        }
        _ => Err(ParquetError::General("a column has values of a kind no index has".to_owned())),
    }
}

fn read_values<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    cell: impl Fn(Option<T::T>) -> Result<Cell, ParquetError>,
) -> Result<Vec<Cell>, ParquetError> {
    let (mut values, mut present) = (Vec::new(), Vec::new());
    let mut records = 0;
    while records < count {
        let left = (count - records).min(BATCH);
        let (read, _, _) = reader.read_records(left, Some(&mut present), None, &mut values)?;
        if read == 0 {
            break;
        }
        records += read;
    }
    let mut values = values.into_iter();
    // A column without gaps, as other writers make it, has no levels.
    if present.is_empty() {
        return values.map(|value| cell(Some(value))).collect();
    }
    present.iter().map(|level| cell(if *level > 0 { values.next() } else { None })).collect()
}
