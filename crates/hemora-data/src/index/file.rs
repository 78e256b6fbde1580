//! The index as a Parquet file, which pandas, Polars and DuckDB open.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;

use super::row::{COLUMNS, Cell, SliceRow};
use crate::parquet_table::{caught, read_cells};
use crate::parquet_write::{schema, write_group};

/// Rows that are held before they are written.
const GROUP_ROWS: usize = 1024;
/// Most rows of a group that are read at once; other writers use up to 2²⁰.
const MAX_GROUP_ROWS: i64 = 1 << 20;

/// Key of [`READER`] in the file.
const READER_KEY: &str = "hemora.reader";
/// Goes up when a row says something else of the same bytes than before: then every file is read
/// again.
const READER: &str = "3";

/// Why an index cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Not a Parquet file, or a broken one.
    #[error("{}: not a readable Parquet file: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: ParquetError,
    },
    /// A Parquet file that is no index.
    #[error("{}: no index of Hemora: {reason}; make it again with `hemora index`", path.display())]
    NoIndex {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A label table cannot be used.
    #[error(transparent)]
    Labels(#[from] crate::TableError),
    /// Nothing to put in.
    #[error("no CT images found: {0}")]
    Empty(String),
}

/// Writes rows beside `path`; [`IndexWriter::finish`] puts the file in its place.
pub(crate) struct IndexWriter {
    path: PathBuf,
    partial: PathBuf,
    writer: SerializedFileWriter<File>,
    rows: Vec<SliceRow>,
}

impl IndexWriter {
    pub(crate) fn create(path: &Path) -> Result<Self, IndexError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|source| io(&partial, source))?;
        let reader = KeyValue::new(READER_KEY.to_owned(), READER.to_owned());
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(vec![reader]))
            // Figures of each page would be kept until the end.
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let properties = Arc::new(properties.build());
        let writer = SerializedFileWriter::new(file, schema(&COLUMNS), properties)
            .map_err(|source| parquet(path, source))?;
        Ok(Self { path: path.to_owned(), partial, writer, rows: Vec::new() })
    }

    pub(crate) fn push(&mut self, row: SliceRow) -> Result<(), IndexError> {
        self.rows.push(row);
        if self.rows.len() == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> Result<(), IndexError> {
        self.flush()?;
        let file = self.writer.into_inner().map_err(|source| parquet(&self.path, source))?;
        file.sync_all().map_err(|source| io(&self.partial, source))?;
        std::fs::rename(&self.partial, &self.path).map_err(|source| io(&self.path, source))
    }

    fn flush(&mut self) -> Result<(), IndexError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let cells: Vec<Vec<Cell>> = self.rows.drain(..).map(|row| row.cells()).collect();
        write_group(&mut self.writer, &COLUMNS, &cells)
            .map_err(|source| parquet(&self.path, source))
    }
}

fn io(path: &Path, source: std::io::Error) -> IndexError {
    IndexError::Io { path: path.to_owned(), source }
}

fn parquet(path: &Path, source: ParquetError) -> IndexError {
    IndexError::Parquet { path: path.to_owned(), source }
}

/// Reads the rows of an index, a group at a time.
pub struct IndexReader {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    /// Place of each of [`COLUMNS`] in the file.
    columns: Vec<usize>,
    next_group: usize,
    rows: std::vec::IntoIter<SliceRow>,
}

impl IndexReader {
    /// Opens an index.
    ///
    /// # Errors
    /// [`IndexError`] if the file cannot be read or is no index of this version.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Self::with_columns(path, read_metadata(path)?)
    }

    /// Opens an index whose rows say what this version would say of the same files; `None` if
    /// another version wrote it.
    pub(crate) fn open_current(path: &Path) -> Result<Option<Self>, IndexError> {
        let reader = read_metadata(path)?;
        let pairs = reader.metadata().file_metadata().key_value_metadata();
        let version = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == READER_KEY));
        match version.map(|pair| pair.value.as_deref() == Some(READER)) {
            Some(false) => Ok(None),
            // Not an index at all is an error: it would be overwritten.
            None => Self::with_columns(path, reader).map(|_| None),
            Some(true) => Self::with_columns(path, reader).map(Some),
        }
    }

    fn with_columns(path: &Path, reader: SerializedFileReader<File>) -> Result<Self, IndexError> {
        let schema = reader.metadata().file_metadata().schema_descr();
        let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
        let place = |(name, _)| {
            names.iter().position(|column| *column == name).ok_or_else(|| IndexError::NoIndex {
                path: path.to_owned(),
                reason: format!("it has no column `{name}`"),
            })
        };
        let columns = COLUMNS.into_iter().map(place).collect::<Result<_, _>>()?;
        let rows = Vec::new().into_iter();
        Ok(Self { path: path.to_owned(), reader, columns, next_group: 0, rows })
    }

    /// Number of rows that the file says it has.
    pub fn len(&self) -> usize {
        usize::try_from(self.reader.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Whether the file says that it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read_group(&self, index: usize) -> Result<Vec<SliceRow>, IndexError> {
        let no_index = |reason| IndexError::NoIndex { path: self.path.clone(), reason };
        let failed = |source| parquet(&self.path, source);
        let group = caught(|| self.reader.get_row_group(index)).map_err(failed)?;
        let count = group.metadata().num_rows();
        if !(0..=MAX_GROUP_ROWS).contains(&count) {
            return Err(no_index(format!("a group of {count} rows")));
        }
        let mut columns = Vec::with_capacity(self.columns.len());
        for &column in &self.columns {
            let read = || read_cells(&mut group.get_column_reader(column)?, count as usize);
            let cells = caught(read).map_err(failed)?;
            if cells.len() != count as usize {
                return Err(no_index(format!("{} of {count} values", cells.len())));
            }
            columns.push(cells.into_iter());
        }
        let row = |_| {
            let cells = columns.iter_mut().filter_map(Iterator::next);
            SliceRow::from_cells(cells).map_err(no_index)
        };
        (0..count).map(row).collect()
    }
}

fn read_metadata(path: &Path) -> Result<SerializedFileReader<File>, IndexError> {
    let file = File::open(path).map_err(|source| io(path, source))?;
    caught(|| SerializedFileReader::new(file)).map_err(|source| parquet(path, source))
}

impl Iterator for IndexReader {
    type Item = Result<SliceRow, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(row));
            }
            if self.next_group >= self.reader.num_row_groups() {
                return None;
            }
            let group = self.read_group(self.next_group);
            self.next_group += 1;
            match group {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(error) => {
                    // What follows a broken group is not believed either.
                    self.next_group = usize::MAX;
                    return Some(Err(error));
                }
            }
        }
    }
}
