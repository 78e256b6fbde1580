//! Writing cells as the columns of a Parquet file.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::index::{Cell, Kind};

/// The schema of columns by name and kind; each may have gaps.
pub(crate) fn schema(columns: &[(&str, Kind)]) -> Arc<Type> {
    let field = |&(name, kind): &(&str, Kind)| {
        let (physical, logical) = match kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Whole => (Physical::INT64, None),
            Kind::Real => (Physical::DOUBLE, None),
            Kind::Single => (Physical::FLOAT, None),
            Kind::Bool => (Physical::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build();
        Arc::new(field.expect("the columns' types are valid"))
    };
    let fields = columns.iter().map(field).collect();
    let schema = Type::group_type_builder("slices").with_fields(fields).build();
    Arc::new(schema.expect("the schema is valid"))
}

/// Writes rows, each with a cell for every column, as one group.
pub(crate) fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &[(&str, Kind)],
    rows: &[Vec<Cell>],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (column, (_, kind)) in columns.iter().enumerate() {
        write_column(&mut group, *kind, rows.iter().map(|row| &row[column]))?;
    }
    group.close().map(|_| ())
}

fn write_column<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    kind: Kind,
    cells: impl Iterator<Item = &'a Cell>,
) -> Result<(), ParquetError> {
    let real = |cell: &Cell| match cell {
        Cell::Real(value) => *value,
        _ => None,
    };
    match kind {
        Kind::Text => write_values::<ByteArrayType, W>(group, cells, |cell| match cell {
            Cell::Text(Some(text)) => Some(ByteArray::from(text.as_str())),
            _ => None,
        }),
        Kind::Whole => write_values::<Int64Type, W>(group, cells, |cell| match cell {
            Cell::Whole(value) => *value,
            _ => None,
        }),
        Kind::Real => write_values::<DoubleType, W>(group, cells, real),
        Kind::Single => {
            write_values::<FloatType, W>(group, cells, |cell| real(cell).map(|value| value as f32))
        }
        Kind::Bool => write_values::<BoolType, W>(group, cells, |cell| match cell {
            Cell::Bool(value) => *value,
            _ => None,
        }),
    }
}

fn write_values<'a, T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let mut values = Vec::new();
    let mut present = Vec::new();
    for value in cells.map(value) {
        present.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("fewer columns than the schema has".to_owned()));
    };
    column.typed::<T>().write_batch(&values, Some(&present), None)?;
    column.close()
}
