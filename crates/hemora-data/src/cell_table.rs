//! Tables of any columns as Parquet files: written and read a group of rows at a time.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;

use crate::index::{Cell, Kind};
use crate::parquet_table::{caught, read_cells};
use crate::parquet_write::{schema, write_group};
use crate::row_groups::RowGroups;

/// Rows of a group: what is held of a table that is written or read.
const GROUP_ROWS: usize = 1024;
/// Most rows of a group that are read; other writers use up to 2²⁰.
const MAX_GROUP_ROWS: i64 = 1 << 20;

/// The columns of a table, by name and kind.
pub type Columns = &'static [(&'static str, Kind)];

/// Why a table cannot be written or read. The file is not in the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CellTableError {
    /// Not a Parquet file, a broken one, or one that the operating system does not let be written or read.
    #[error("{0}")]
    Parquet(#[from] ParquetError),
    /// A Parquet file with other columns or rows than the table has.
    #[error("not the table that is expected: {0}")]
    Other(String),
}

/// Writes the rows of a table one after the other, compressed by zstd. The same rows give the same bytes.
pub struct CellWriter<W: Write + Send> {
    columns: Columns,
    writer: SerializedFileWriter<W>,
    group: Vec<Vec<Cell>>,
    rows: u64,
}

impl<W: Write + Send> CellWriter<W> {
    /// Begins a table. `facts` are texts by key that the file holds beside its rows.
    ///
    /// # Errors
    /// [`CellTableError`] if `out` cannot be written.
    pub fn new(out: W, columns: Columns, facts: &[(&str, &str)]) -> Result<Self, CellTableError> {
        let fact =
            |(key, value): &(&str, &str)| KeyValue::new((*key).to_owned(), (*value).to_owned());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(facts.iter().map(fact).collect()))
            // Figures of each page would be kept until the end.
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let writer = SerializedFileWriter::new(out, schema(columns), Arc::new(properties.build()))?;
        Ok(Self { columns, writer, group: Vec::new(), rows: 0 })
    }

    /// Adds a row, a cell for each column in their order.
    ///
    /// # Errors
    /// [`CellTableError`] if the cells are not those of the columns or the file cannot be written.
    pub fn push(&mut self, row: Vec<Cell>) -> Result<(), CellTableError> {
        let fits = row.iter().zip(self.columns).all(|(cell, (_, kind))| cell.fits(*kind));
        if row.len() != self.columns.len() || !fits {
            return Err(CellTableError::Other(format!(
                "a row of {} cells for {} columns, or of other kinds",
                row.len(),
                self.columns.len()
            )));
        }
        self.group.push(row);
        self.rows += 1;
        if self.group.len() == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), CellTableError> {
        if !self.group.is_empty() {
            write_group(&mut self.writer, self.columns, &self.group)?;
            self.group.clear();
        }
        Ok(())
    }

    /// Ends the table and says how many rows it has.
    ///
    /// # Errors
    /// [`CellTableError`] if the file cannot be written.
    pub fn finish(mut self) -> Result<u64, CellTableError> {
        self.flush()?;
        self.writer.finish()?;
        Ok(self.rows)
    }
}

/// Reads the rows of a table, a group at a time. No file is open between two groups, so that any number of
/// tables can be read side by side.
pub struct CellReader {
    columns: Columns,
    reader: SerializedFileReader<ClosedFile>,
    groups: RowGroups<Vec<Cell>>,
}

impl CellReader {
    /// Opens a table, which must have these columns in this order.
    ///
    /// # Errors
    /// [`CellTableError`] if it cannot be read or has other columns.
    pub fn open(path: &Path, columns: Columns) -> Result<Self, CellTableError> {
        let size = std::fs::metadata(path).map_err(|error| ParquetError::External(error.into()))?;
        let file = ClosedFile { path: path.to_owned(), size: size.len() };
        let reader = caught(|| SerializedFileReader::new(file))?;
        let found = reader.metadata().file_metadata().schema_descr();
        let names: Vec<&str> = found.columns().iter().map(|column| column.name()).collect();
        if !names.iter().eq(columns.iter().map(|(name, _)| name)) {
            let names = names.join(", ");
            return Err(CellTableError::Other(format!("it has the columns {names}")));
        }
        Ok(Self { columns, reader, groups: RowGroups::default() })
    }

    /// Number of rows that the file says it has.
    pub fn len(&self) -> u64 {
        u64::try_from(self.reader.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Whether the file says that it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read_group(&self, index: usize) -> Result<Vec<Vec<Cell>>, CellTableError> {
        let group = caught(|| self.reader.get_row_group(index))?;
        let count = group.metadata().num_rows();
        if !(0..=MAX_GROUP_ROWS).contains(&count) {
            return Err(CellTableError::Other(format!("a group of {count} rows")));
        }
        let mut rows: Vec<Vec<Cell>> =
            (0..count).map(|_| Vec::with_capacity(self.columns.len())).collect();
        for (column, (name, kind)) in self.columns.iter().enumerate() {
            let read = || read_cells(&mut group.get_column_reader(column)?, rows.len());
            let cells = caught(read)?;
            if cells.len() != rows.len() || !cells.iter().all(|cell| cell.fits(*kind)) {
                return Err(CellTableError::Other(format!(
                    "the column {name} has {} values for {count} rows, or values of another kind",
                    cells.len()
                )));
            }
            rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
        }
        Ok(rows)
    }
}

impl Iterator for CellReader {
    type Item = Result<Vec<Cell>, CellTableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut groups = std::mem::take(&mut self.groups);
        let row = groups.next(self.reader.num_row_groups(), |group| self.read_group(group));
        self.groups = groups;
        row
    }
}

/// A file that is open while something is read of it, and not longer.
struct ClosedFile {
    path: PathBuf,
    size: u64,
}

impl Length for ClosedFile {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for ClosedFile {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        File::open(&self.path)?.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        File::open(&self.path)?.get_bytes(start, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns =
        &[("name", Kind::Text), ("count", Kind::Whole), ("value", Kind::Single)];

    fn row(number: usize) -> Vec<Cell> {
        let name = (!number.is_multiple_of(7)).then(|| format!("row {number}"));
        let value = f64::from(number as f32 / 3.0);
        vec![Cell::Text(name), Cell::Whole(Some(number as i64)), Cell::Real(Some(value))]
    }

    fn written(rows: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = CellWriter::new(&mut bytes, COLUMNS, &[("key", "value")]).unwrap();
        (0..rows).for_each(|number| writer.push(row(number)).unwrap());
        assert_eq!(writer.finish().unwrap(), rows as u64);
        bytes
    }

    #[test]
    fn rows_are_read_as_they_were_written_and_give_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parquet");
        for rows in [0, 1, GROUP_ROWS, 2 * GROUP_ROWS + 3] {
            let bytes = written(rows);
            assert_eq!(bytes, written(rows));
            std::fs::write(&path, bytes).unwrap();
            let reader = CellReader::open(&path, COLUMNS).unwrap();
            assert_eq!(reader.len(), rows as u64);
            let read: Vec<_> = reader.map(Result::unwrap).collect();
            assert!(read.into_iter().eq((0..rows).map(row)));
        }
    }

    #[test]
    fn other_cells_columns_and_broken_files_are_refused() {
        let mut writer = CellWriter::new(Vec::new(), COLUMNS, &[]).unwrap();
        assert!(writer.push(row(1)[..2].to_vec()).is_err());
        let mut swapped = row(1);
        swapped.swap(0, 1);
        assert!(writer.push(swapped).is_err());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parquet");
        let bytes = written(3000);
        std::fs::write(&path, &bytes).unwrap();
        let other: Columns = &[("name", Kind::Text)];
        assert!(CellReader::open(&path, other).err().unwrap().to_string().contains("count, value"));
        let kinds: Columns =
            &[("name", Kind::Whole), ("count", Kind::Whole), ("value", Kind::Real)];
        assert!(CellReader::open(&path, kinds).unwrap().any(|row| row.is_err()));
        for cut in [0, 7, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let reader = CellReader::open(&path, COLUMNS);
            assert!(reader.is_err() || reader.unwrap().any(|row| row.is_err()), "{cut}");
        }
    }
}
