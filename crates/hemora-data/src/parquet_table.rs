//! The columns of a Parquet file: as cells of an index, or as the fields of a table's rows.

use std::fs::File;
use std::panic::AssertUnwindSafe;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::index::Cell;
use crate::parquet_meaning::Meaning;

/// Rows that are held at once.
pub(crate) const BATCH: usize = 8192;
/// Longest text of a field, bytes, as of a CSV's row.
const MAX_TEXT: usize = 1 << 16;

/// A Parquet file as a table: its flat columns of text, numbers and truth values. Others cannot be
/// asked for, and are named with what they hold.
pub(crate) struct ParquetRows {
    reader: SerializedFileReader<File>,
    /// The columns that are read.
    columns: Vec<Column>,
    /// Name of each other column, and what it holds.
    unread: Vec<(String, String)>,
}

/// A column that is read.
struct Column {
    name: String,
    /// Its index in the file.
    index: usize,
    meaning: Meaning,
    /// Whether its fields are empty instead.
    is_left_out: bool,
}

impl ParquetRows {
    pub(crate) fn open(file: File) -> Result<Self, String> {
        let reader = caught(|| SerializedFileReader::new(file)).map_err(|error| reason(&error))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let (mut columns, mut unread) = (Vec::new(), Vec::new());
        for (index, column) in schema.columns().iter().enumerate() {
            match Meaning::of(column) {
                Ok(meaning) => {
                    let name = column.name().to_owned();
                    columns.push(Column { name, index, meaning, is_left_out: false });
                }
                Err(holds) => {
                    let name = column.path().parts().first().cloned().unwrap_or_default();
                    if unread.last().is_none_or(|(last, _)| *last != name) {
                        unread.push((name, holds));
                    }
                }
            }
        }
        Ok(Self { reader, columns, unread })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Leaves the fields of all columns but these empty, and does not read them.
    pub(crate) fn only(&mut self, wanted: &[usize]) {
        for (place, column) in self.columns.iter_mut().enumerate() {
            column.is_left_out = !wanted.contains(&place);
        }
    }

    /// The columns that cannot be read, each with what it holds.
    pub(crate) fn unread(&self) -> &[(String, String)] {
        &self.unread
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
                for (reader, column) in readers.iter_mut().zip(&self.columns) {
                    let Some(reader) = reader else {
                        columns.push(Vec::new());
                        continue;
                    };
                    let texts = caught(|| read_texts(reader, count, column.meaning));
                    let texts = texts.map_err(|error| at(error, rows))?;
                    if texts.len() != count {
                        let found = texts.len();
                        return Err((rows, format!("{found} of {count} values of a column")));
                    }
                    columns.push(texts);
                }
                for place in 0..count {
                    let columns = columns.iter();
                    let fields: Vec<&str> = columns
                        .map(|column| column.get(place).map_or("", String::as_str))
                        .collect();
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

    /// Of each column its reader, unless it is left out.
    fn readers(
        &self,
        group: &dyn RowGroupReader,
    ) -> Result<Vec<Option<ColumnReader>>, ParquetError> {
        let reader = |column: &Column| {
            (!column.is_left_out).then(|| group.get_column_reader(column.index)).transpose()
        };
        self.columns.iter().map(reader).collect()
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
            "{text}; write the file with snappy, gzip, lz4 or zstd compression, or with none"
        );
    }
    text
}

/// The texts of the next `count` values of a column of a table; fewer at its end.
fn read_texts(
    reader: &mut ColumnReader,
    count: usize,
    meaning: Meaning,
) -> Result<Vec<String>, ParquetError> {
    let is_decimal = matches!(meaning, Meaning::Decimal(_));
    match reader {
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            read_values(reader, count, |value| meaning.of_bytes(value.as_ref().map(|it| it.data())))
        }
        ColumnReader::ByteArrayColumnReader(reader) if is_decimal => {
            read_values(reader, count, |value| {
                meaning.of_bytes(value.as_ref().map(ByteArray::data))
            })
        }
        ColumnReader::Int32ColumnReader(reader) if meaning == Meaning::Unsigned => {
            read_values(reader, count, |value| {
                Ok(value.map_or_else(String::new, |value| value.cast_unsigned().to_string()))
            })
        }
        other => {
            let cells = read_cells(other, count)?;
            Ok(cells.into_iter().map(|cell| meaning.of_cell(cell)).collect())
        }
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

fn read_values<T: DataType, C>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    cell: impl Fn(Option<T::T>) -> Result<C, ParquetError>,
) -> Result<Vec<C>, ParquetError> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::ByteArrayType;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    #[test]
    fn what_nobody_asks_for_need_be_no_text() {
        let schema = "message t { required binary id (UTF8); required binary picture;
                      required binary note (UTF8); }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let file = tempfile::tempfile().unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Default::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for value in [b"ID_1".to_vec(), vec![0xff, 0xd8], vec![b'x'; MAX_TEXT + 1]] {
            let mut column = group.next_column().unwrap().unwrap();
            let values = [ByteArray::from(value)];
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        let file = writer.into_inner().unwrap();
        let read = |wanted: &[usize]| {
            let mut rows = ParquetRows::open(file.try_clone().unwrap()).unwrap();
            rows.only(wanted);
            let mut seen = Vec::new();
            rows.for_each(|_, fields| {
                seen.push(fields.join("|"));
                Ok(())
            })?;
            Ok::<_, (u64, String)>(seen)
        };
        assert_eq!(read(&[0]).unwrap(), ["ID_1||"]);
        assert!(read(&[0, 1]).unwrap_err().1.contains("utf"));
        assert_eq!(read(&[2]).unwrap_err().1, format!("a text of {} bytes", MAX_TEXT + 1));
    }
}
