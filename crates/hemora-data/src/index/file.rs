//! The index as a Parquet file, which pandas, Polars and DuckDB open.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hemora_base::write_whole;
use hemora_objects::{Mirror, PlaceError};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;

use super::cells::{Cell, Kind};
use super::row::{COLUMNS, LATER_COLUMNS, SliceRow};
use crate::parquet_table::{caught, read_cells};
use crate::parquet_write::{schema, write_group};
use crate::prepare::SplitRule;
use crate::row_groups::RowGroups;

/// Rows that are held before they are written.
const GROUP_ROWS: usize = 1024;
/// Most rows of a group that are read at once; other writers use up to 2²⁰.
const MAX_GROUP_ROWS: i64 = 1 << 20;

/// Key of [`READER`] in the file.
const READER_KEY: &str = "hemora.reader";
/// Goes up when a row says something else of the same bytes than before: then every file is read
/// again.
pub(super) const READER: &str = "6";
/// Key of the rule by which the stored split was made, as TOML.
const SPLIT_KEY: &str = "hemora.split";

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
    /// Object storage failed, or a file for it.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Another run writes the index.
    #[error("{}: another run is at work on this index; wait until it ends", .0.display())]
    Busy(PathBuf),
    /// A label table cannot be used.
    #[error(transparent)]
    Labels(#[from] crate::TableError),
    /// Nothing to put in.
    #[error("no CT images found: {0}")]
    Empty(String),
    /// A path that a share was to index cannot be listed; what, and why.
    #[error("{0}; all machines that index shares need all paths")]
    NoPath(String),
    /// A file of a share of an index is not what it should be.
    #[error("{}: not what a share of an index has: {reason}", path.display())]
    Share {
        /// The file.
        path: PathBuf,
        /// What was found, and what to do.
        reason: String,
    },
    /// Shares that do not make one index.
    #[error("{0}")]
    Jobs(String),
    /// Folders without shares.
    #[error("no share of an index in {}; expected `shard-00001-of-0000N.json`", names(.0))]
    NoShares(Vec<PathBuf>),
    /// Shares that are not there, or not whole.
    #[error(
        "{count} of {of} shares are not there or not whole: {named}; run `hemora index … --shard` for each of them"
    )]
    Missing {
        /// How many.
        count: usize,
        /// Shares of the job.
        of: u32,
        /// The first ones.
        named: String,
    },
}

impl IndexError {
    /// An error of the content of a copy as one of the object that it is a copy of. What this machine's disk
    /// says stays an error of this machine.
    pub(crate) fn of_object(self, mirror: &Mirror) -> Self {
        let shown = |path: PathBuf| mirror.shown(&path);
        match self {
            Self::Parquet { path, source } => Self::Parquet { path: shown(path), source },
            Self::NoIndex { path, reason } => Self::NoIndex { path: shown(path), reason },
            Self::Share { path, reason } => Self::Share { path: shown(path), reason },
            other => other,
        }
    }
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Writes an index, whose rows `fill` gives, beside `path`, and puts it in its place when it is whole.
/// `split` is the rule by which the rows' parts were dealt.
///
/// # Errors
/// What `fill` reports, or the operating system; an index that is there stays then.
pub(crate) fn write_index<E: From<IndexError>>(
    path: &Path,
    split: Option<&SplitRule>,
    fill: impl FnOnce(&mut IndexWriter<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| Stopped::Rows(E::from(parquet(path, source)));
    let written = write_whole(path, |file| {
        let mut writer = IndexWriter::new(path, file, split).map_err(failed)?;
        fill(&mut writer).map_err(Stopped::Rows)?;
        writer.flush().map_err(|error| Stopped::Rows(error.into()))?;
        writer.writer.finish().map(|_| ()).map_err(failed)
    });
    written.map_err(|stopped| match stopped {
        Stopped::Io(source) => io(path, source).into(),
        Stopped::Rows(error) => error,
    })
}

/// Why an index could not be written: the operating system's reason, which lacks the path, or another.
enum Stopped<E> {
    Io(std::io::Error),
    Rows(E),
}

impl<E> From<std::io::Error> for Stopped<E> {
    fn from(source: std::io::Error) -> Self {
        Self::Io(source)
    }
}

/// Takes the rows of an index.
pub(crate) struct IndexWriter<'a> {
    path: &'a Path,
    writer: SerializedFileWriter<&'a mut (dyn Write + Send)>,
    rows: Vec<SliceRow>,
}

impl<'a> IndexWriter<'a> {
    fn new(
        path: &'a Path,
        file: &'a mut (dyn Write + Send),
        split: Option<&SplitRule>,
    ) -> Result<Self, ParquetError> {
        let mut facts = vec![KeyValue::new(READER_KEY.to_owned(), READER.to_owned())];
        facts.extend(split.map(|rule| {
            let rule = toml::to_string(rule).expect("a rule is valid TOML");
            KeyValue::new(SPLIT_KEY.to_owned(), rule)
        }));
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(facts))
            // Figures of each page would be kept until the end.
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let properties = Arc::new(properties.build());
        let writer = SerializedFileWriter::new(file, schema(COLUMNS), properties)?;
        Ok(Self { path, writer, rows: Vec::new() })
    }

    pub(crate) fn push(&mut self, row: SliceRow) -> Result<(), IndexError> {
        self.rows.push(row);
        if self.rows.len() == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), IndexError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let cells: Vec<Vec<Cell>> = self.rows.drain(..).map(|row| row.cells()).collect();
        write_group(&mut self.writer, COLUMNS, &cells).map_err(|source| parquet(self.path, source))
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
    /// Place of each of [`COLUMNS`] in the file; `None` for one of [`LATER_COLUMNS`] in an index without it.
    columns: Vec<Option<usize>>,
    split: Option<SplitRule>,
    groups: RowGroups<SliceRow>,
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
        match fact(&reader, READER_KEY).map(|version| version == READER) {
            Some(false) => Ok(None),
            // Not an index at all is an error: it would be overwritten.
            None => Self::with_columns(path, reader).map(|_| None),
            Some(true) => Self::with_columns(path, reader).map(Some),
        }
    }

    fn with_columns(path: &Path, reader: SerializedFileReader<File>) -> Result<Self, IndexError> {
        let schema = reader.metadata().file_metadata().schema_descr();
        let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
        let position = |&(name, _): &(&str, Kind)| match names.iter().position(|it| *it == name) {
            None if !LATER_COLUMNS.contains(&name) => Err(IndexError::NoIndex {
                path: path.to_owned(),
                reason: format!("it has no column `{name}`"),
            }),
            position => Ok(position),
        };
        let columns = COLUMNS.iter().map(position).collect::<Result<_, _>>()?;
        let rule = fact(&reader, SPLIT_KEY).map(toml::from_str).transpose();
        let split = rule.map_err(|error| IndexError::NoIndex {
            path: path.to_owned(),
            reason: format!("its `{SPLIT_KEY}` says nothing of a split: {error}"),
        })?;
        let groups = RowGroups::default();
        Ok(Self { path: path.to_owned(), reader, columns, split, groups })
    }

    /// How the stored split was made; `None` if there is none.
    pub fn split_rule(&self) -> Option<&SplitRule> {
        self.split.as_ref()
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
            let Some(column) = column else {
                columns.push(vec![Cell::Text(None); count as usize].into_iter());
                continue;
            };
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

/// What the file says under a key.
fn fact<'a>(reader: &'a SerializedFileReader<File>, key: &str) -> Option<&'a str> {
    let pairs = reader.metadata().file_metadata().key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

fn read_metadata(path: &Path) -> Result<SerializedFileReader<File>, IndexError> {
    let file = File::open(path).map_err(|source| io(path, source))?;
    caught(|| SerializedFileReader::new(file)).map_err(|source| parquet(path, source))
}

impl Iterator for IndexReader {
    type Item = Result<SliceRow, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut groups = std::mem::take(&mut self.groups);
        let row = groups.next(self.reader.num_row_groups(), |group| self.read_group(group));
        self.groups = groups;
        row
    }
}
