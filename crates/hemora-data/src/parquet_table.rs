//! The columns of a Parquet file: as cells of an index, or as the fields of a table's rows.

use std::fs::File;
use std::panic::AssertUnwindSafe;

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::index::Cell;

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
}

/// What the values of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Themselves.
    Value,
    /// Whole numbers without a sign, of 32 or 64 bits.
    Unsigned,
    /// Two bytes, an IEEE 754 number.
    Half,
    /// Units of which 10 to this power make one.
    Decimal(usize),
}

/// Most digits behind the point of a decimal number: those of 256 bits.
const MAX_SCALE: i32 = 76;

impl Meaning {
    /// What a column's values stand for; an error is what it holds instead of a value a row.
    fn of(column: &ColumnDescriptor) -> Result<Self, String> {
        let kind = column.physical_type();
        if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
            return Err("lists or structures".to_owned());
        }
        let is_decimal = matches!(column.logical_type_ref(), Some(LogicalType::Decimal { .. }))
            || column.converted_type() == ConvertedType::DECIMAL;
        if is_decimal {
            let scale = column.type_scale();
            return match usize::try_from(scale) {
                Ok(digits) if scale <= MAX_SCALE => Ok(Self::Decimal(digits)),
                _ => Err(format!("decimal numbers of scale {scale}")),
            };
        }
        let unsigned = matches!(
            column.converted_type(),
            ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
        );
        match (kind, column.logical_type_ref()) {
            (Physical::INT32 | Physical::INT64, _) if unsigned => Ok(Self::Unsigned),
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16)) => Ok(Self::Half),
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(other)) => Err(format!("{other:?} values")),
            (Physical::FIXED_LEN_BYTE_ARRAY | Physical::INT96, _) => Err(format!("{kind} values")),
            _ => Ok(Self::Value),
        }
    }

    /// The text of a value in a table.
    fn field(self, cell: Raw) -> String {
        match (self, cell) {
            (Self::Decimal(scale), Raw::Cell(Cell::Whole(Some(units)))) => {
                decimal(&units.to_be_bytes(), scale)
            }
            (Self::Decimal(scale), Raw::Bytes(Some(bytes))) => decimal(&bytes, scale),
            (Self::Half, Raw::Bytes(Some(bytes))) => match bytes.first_chunk::<2>() {
                Some(bytes) => f16::from_le_bytes(*bytes).to_f64().to_string(),
                None => String::new(),
            },
            (Self::Unsigned, Raw::Cell(Cell::Whole(Some(value)))) => {
                value.cast_unsigned().to_string()
            }
            (_, Raw::Cell(cell)) => field(cell),
            (_, Raw::Bytes(bytes)) => {
                bytes.map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}

/// A value as it stands in the file.
enum Raw {
    Cell(Cell),
    Bytes(Option<Vec<u8>>),
}

/// A decimal number of `scale` digits behind the point from its units, two's complement, most
/// significant byte first.
fn decimal(units: &[u8], scale: usize) -> String {
    let negative = units.first().is_some_and(|byte| byte & 0x80 != 0);
    // Magnitude, and then its decimal digits, lowest first: each division takes one.
    let mut magnitude = units.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (value, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (value, over);
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte > 0) || digits.len() <= scale {
        let mut rest = 0u16;
        for byte in &mut magnitude {
            let value = rest << 8 | u16::from(*byte);
            (*byte, rest) = ((value / 10) as u8, value % 10);
        }
        digits.push(char::from(b'0' + rest as u8));
    }
    let (fraction, whole) = digits.split_at(scale);
    let sign = if negative { "-" } else { "" };
    let whole: String = whole.iter().rev().collect();
    let fraction: String = fraction.iter().rev().collect();
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
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
                    columns.push(Column { name, index, meaning });
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
                    let cells = caught(|| read_raw(reader, count, column.meaning));
                    let cells = cells.map_err(|error| at(error, rows))?;
                    if cells.len() != count {
                        let found = cells.len();
                        return Err((rows, format!("{found} of {count} values of a column")));
                    }
                    let fields = cells.into_iter().map(|cell| column.meaning.field(cell));
                    columns.push(fields.collect::<Vec<String>>());
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
        self.columns.iter().map(|column| group.get_column_reader(column.index)).collect()
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

fn field(cell: Cell) -> String {
    match cell {
        Cell::Text(value) => value.unwrap_or_default(),
        Cell::Whole(value) => value.map_or_else(String::new, |value| value.to_string()),
        Cell::Real(value) => value.map_or_else(String::new, |value| value.to_string()),
        Cell::Bool(value) => value.map_or_else(String::new, |value| u8::from(value).to_string()),
    }
}

/// The next `count` values of a column of a table; fewer at its end.
fn read_raw(
    reader: &mut ColumnReader,
    count: usize,
    meaning: Meaning,
) -> Result<Vec<Raw>, ParquetError> {
    let is_decimal = matches!(meaning, Meaning::Decimal(_));
    let bytes = |bytes: &[u8]| match bytes.len() {
        0..=32 => Ok(bytes.to_vec()),
        long => Err(ParquetError::General(format!("a number of {long} bytes"))),
    };
    match reader {
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            read_values(reader, count, |value| {
                Ok(Raw::Bytes(value.map(|value| bytes(value.data())).transpose()?))
            })
        }
        ColumnReader::ByteArrayColumnReader(reader) if is_decimal => {
            read_values(reader, count, |value| {
                Ok(Raw::Bytes(value.map(|value| bytes(value.data())).transpose()?))
            })
        }
        ColumnReader::Int32ColumnReader(reader) if meaning == Meaning::Unsigned => {
            read_values(reader, count, |value| {
                let value = value.map(|value| i64::from(value.cast_unsigned()));
                Ok(Raw::Cell(Cell::Whole(value)))
            })
        }
        other => Ok(read_cells(other, count)?.into_iter().map(Raw::Cell).collect()),
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
    use super::*;

    #[test]
    fn decimal_numbers_are_written_out() {
        for (units, scale, text) in [
            (1234i64, 4, "0.1234"),
            (-1, 3, "-0.001"),
            (100, 2, "1"),
            (0, 0, "0"),
            (i64::MIN, 18, "-9.223372036854775808"),
            (250, 0, "250"),
        ] {
            assert_eq!(decimal(&units.to_be_bytes(), scale), text);
        }
        assert_eq!(decimal(&[0xff, 0x38], 1), "-20");
        assert_eq!(decimal(&[], 2), "0");
    }
}
