//! Reading tables, CSV or Parquet, in bounded memory: a line has a length limit, and every error has
//! its line.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::parquet_table::ParquetRows;
use crate::table_file::{TableFile, open_table};

/// Longest row of a table, bytes. The widest table in use, 60 slices a row, has 900.
const MAX_LINE: usize = 1 << 16;

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened.
    #[error("{}: cannot open the table: {source}", path.display())]
    Open {
        /// The table.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Reading stopped.
    #[error("cannot read the table near line {line}: {reason}")]
    Read {
        /// Line, counted from 1.
        line: u64,
        /// Why.
        reason: String,
    },
    /// The header names other columns.
    #[error("line 1: the header is {found}; expected {expected}")]
    Header {
        /// The header as it stands.
        found: String,
        /// The columns that are needed.
        expected: String,
    },
    /// A row cannot be used.
    #[error("line {line}: {reason}")]
    Row {
        /// Line, counted from 1.
        line: u64,
        /// What was found and expected.
        reason: String,
    },
    /// The table has a header and nothing else.
    #[error("the table has no rows")]
    Empty,
    /// What would be ids are the numbers of the rows.
    #[error(
        "the first column, which has no name, holds the numbers of the rows, as pandas writes them: \
         these are no ids; {todo}"
    )]
    RowNumbers {
        /// How to name the column of ids.
        todo: &'static str,
    },
    /// One of the above, with its file.
    #[error("{}: {source}", path.display())]
    In {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<TableError>,
    },
}

/// A table whose rows are bounded and whose header is known.
pub struct Table<R> {
    rows: Rows<R>,
    header: Vec<String>,
    /// Columns that cannot be read, each with what it holds.
    unread: Vec<(String, String)>,
}

enum Rows<R> {
    Csv(csv::Reader<LineLimit<R>>),
    Parquet(ParquetRows),
}

/// First bytes of a Parquet file.
const PARQUET: [u8; 4] = *b"PAR1";

/// Names that the index of a table has which nobody named, as pandas writes it.
const UNNAMED: [&str; 3] = ["", "Unnamed: 0", "__index_level_0__"];

impl Table<TableFile> {
    /// Reads the header of a CSV or Parquet file, which its first bytes tell apart. Of Parquet, the
    /// columns of text, numbers (decimal ones and those of 16 bits too) and truth values are read;
    /// the latter become 0 and 1, and what is absent becomes empty. Errors of the header name the
    /// columns that are not read. Compression may be snappy, gzip, lz4 or zstd.
    ///
    /// # Errors
    /// [`TableError`] if the header cannot be read.
    pub fn open(mut file: TableFile) -> Result<Self, TableError> {
        let failed = |reason: String| TableError::Read { line: 1, reason };
        let mut start = Vec::new();
        let begin = (&mut file).take(PARQUET.len() as u64).read_to_end(&mut start);
        begin
            .and_then(|_| file.seek(SeekFrom::Start(0)))
            .map_err(|error| failed(error.to_string()))?;
        if start != PARQUET {
            return Self::new(file);
        }
        let TableFile::Disk(file) = file else {
            let reason = "Parquet cannot be read from a pipe; write the table to a file";
            return Err(failed(reason.to_owned()));
        };
        let rows = ParquetRows::open(file).map_err(failed)?;
        let (header, unread) = (rows.names(), rows.unread().to_vec());
        Ok(Self { header, unread, rows: Rows::Parquet(rows) })
    }
}

impl<R: Read> Table<R> {
    /// Reads the header of a CSV table; `input` need not be buffered.
    ///
    /// # Errors
    /// [`TableError`] if the header cannot be read.
    pub fn new(input: R) -> Result<Self, TableError> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(1 << 18)
            .from_reader(LineLimit { inner: input, length: 0, quoted: false });
        let mut record = csv::ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(|error| read_error(&error, 1))?;
        let header = record
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim_matches([' ', '\u{feff}']).to_owned())
            .collect();
        Ok(Self { rows: Rows::Csv(reader), header, unread: Vec::new() })
    }

    /// Names of the columns, without spaces around them.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Column of a name in the header.
    ///
    /// # Errors
    /// [`TableError::Header`] if there is none.
    pub fn column(&self, name: &str) -> Result<usize, TableError> {
        self.find(name).ok_or_else(|| self.wrong_header(&format!("a column `{name}`")))
    }

    /// Column of a name in the header, if there is one: as it is written or, if no column is
    /// called so and one alone is but for capitals, that one.
    pub fn find(&self, name: &str) -> Option<usize> {
        let exact = self.header.iter().position(|column| column == name);
        exact.or_else(|| {
            let mut alike = (0..self.header.len())
                .filter(|&column| self.header[column].eq_ignore_ascii_case(name));
            alike.next().filter(|_| alike.next().is_none())
        })
    }

    /// Column of the first of some names that the header has, as [`Table::find`] does but names as
    /// they are written first; else the [unnamed](Table::unnamed) one, which may hold nothing but
    /// [`RowNumbers`](crate::RowNumbers).
    pub fn find_id(&self, names: &[&str]) -> Option<usize> {
        let exact = |name: &&str| self.header.iter().position(|column| column == name);
        names
            .iter()
            .find_map(exact)
            .or_else(|| names.iter().find_map(|name| self.find(name)))
            .or_else(|| self.unnamed())
    }

    /// The first column, if nobody named it: pandas writes the index of a table so.
    pub fn unnamed(&self) -> Option<usize> {
        self.header.first().filter(|first| UNNAMED.contains(&first.as_str())).map(|_| 0)
    }

    /// Columns of ids and labels of a table in the competition's layout, `ID,Label` in any case,
    /// with or without pandas' index before or behind them.
    pub fn competition(&self) -> Option<[usize; 2]> {
        let is_named = |name: &&String| !UNNAMED.contains(&name.as_str());
        let named = self.header.iter().filter(is_named).count();
        Some([self.find("ID")?, self.find("Label")?]).filter(|_| named == 2)
    }

    /// The header as it may stand in a message, with the columns that cannot be read.
    pub fn header_text(&self) -> String {
        let unread: Vec<String> = self
            .unread
            .iter()
            .take(6)
            .map(|(name, holds)| format!("`{}` has {}", shorten(name), shorten(holds)))
            .collect();
        let header = shorten(&self.header.join(","));
        match unread.is_empty() {
            true => format!("`{header}`"),
            false => format!("`{header}`, and columns that cannot be read: {}", unread.join(", ")),
        }
    }

    /// The error that the header is not what was expected.
    pub fn wrong_header(&self, expected: &str) -> TableError {
        TableError::Header { found: self.header_text(), expected: expected.to_owned() }
    }

    /// Leaves all columns but these out of what [`Table::for_each`] reads of a Parquet file, and
    /// their fields empty: what stands in a column that nobody asks for need be no text, and may be
    /// long. CSV is read as a whole.
    #[must_use]
    pub fn only(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        if let Rows::Parquet(rows) = &mut self.rows {
            rows.only(&columns.into_iter().collect::<Vec<_>>());
        }
        self
    }

    /// Calls `row(line, fields)` for every row after the header; its error is a reason without the
    /// line. The first row of Parquet is line 2, as if it had a header.
    ///
    /// # Errors
    /// [`TableError`] with the line, or [`TableError::Empty`] without rows.
    pub fn for_each(
        self,
        mut row: impl FnMut(u64, &[&str]) -> Result<(), String>,
    ) -> Result<(), TableError> {
        let mut reader = match self.rows {
            Rows::Csv(reader) => reader,
            Rows::Parquet(rows) => {
                let read = rows.for_each(|number, fields| row(number + 1, fields));
                return match read {
                    Ok(0) => Err(TableError::Empty),
                    Ok(_) => Ok(()),
                    Err((number, reason)) => Err(TableError::Row { line: number + 1, reason }),
                };
            }
        };
        let mut record = csv::StringRecord::new();
        let mut rows = 0u64;
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(false) if rows == 0 => return Err(TableError::Empty),
                Ok(false) => return Ok(()),
                Ok(true) => {}
                Err(error) => return Err(read_error(&error, line)),
            }
            // A blank line before the row moves its number, so ask the row itself.
            let line = record.position().map_or(line, csv::Position::line);
            // Rows have a handful of fields, wide ones some dozens: no allocation for the former.
            let mut few = [""; 8];
            let many: Vec<&str>;
            let fields = if record.len() <= few.len() {
                for (slot, field) in few.iter_mut().zip(record.iter()) {
                    *slot = field;
                }
                &few[..record.len()]
            } else {
                many = record.iter().collect();
                &many
            };
            row(line, fields).map_err(|reason| TableError::Row { line, reason })?;
            rows += 1;
        }
    }
}

/// Opens a table and names the file in whatever `read` reports.
///
/// # Errors
/// [`TableError::Open`], or that of `read` in a [`TableError::In`].
pub fn with_file<T>(
    path: &Path,
    read: impl FnOnce(TableFile) -> Result<T, TableError>,
) -> Result<T, TableError> {
    let file =
        open_table(path).map_err(|source| TableError::Open { path: path.to_owned(), source })?;
    read(file).map_err(|source| TableError::In { path: path.to_owned(), source: Box::new(source) })
}

/// Text from a file as it may stand in a message: short, without control characters.
pub fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(60)
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

fn read_error(error: &csv::Error, line: u64) -> TableError {
    let at = error.position().map_or(line, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => TableError::Row {
            line: at,
            reason: format!("column {} is not UTF-8 text", err.field() + 1),
        },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => TableError::Row {
            line: at,
            reason: format!("{len} columns; the header has {expected_len}"),
        },
        csv::ErrorKind::Io(reason) => TableError::Read { line: at, reason: reason.to_string() },
        _ => TableError::Read { line: at, reason: error.to_string() },
    }
}

/// Fails when a row grows beyond [`MAX_LINE`], before the CSV parser collects it. A line break
/// within quotes does not end a row, so a quote that is never closed is caught as well.
struct LineLimit<R> {
    inner: R,
    length: usize,
    quoted: bool,
}

impl<R: Read> Read for LineLimit<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.inner.read(buffer)?;
            let mut kept = 0;
            for at in 0..count {
                let byte = buffer[at];
                // Dropped, so that the CSV parser counts lines that end with both as one.
                if byte == b'\r' {
                    continue;
                }
                buffer[kept] = byte;
                kept += 1;
                self.quoted ^= byte == b'"';
                self.length = if byte == b'\n' && !self.quoted { 0 } else { self.length + 1 };
                if self.length > MAX_LINE {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!(
                            "a row is longer than {MAX_LINE} bytes; is this a table, and is every \
                             quote closed?"
                        ),
                    ));
                }
            }
            // Nothing kept of something read is not yet the end.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Result<usize, TableError> {
        let mut count = 0;
        Table::new(text)?.for_each(|_, _| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    #[test]
    fn endless_rows_are_refused_before_they_fill_the_memory() {
        let line = [b"a,b\n".to_vec(), vec![b'x'; MAX_LINE + 2]].concat();
        assert!(rows(&line).unwrap_err().to_string().contains("longer than"));
        let open_quote = [b"a,b\n\"".to_vec(), b"1,2\n".repeat(MAX_LINE)].concat();
        assert!(rows(&open_quote).unwrap_err().to_string().contains("quote"));
    }

    #[test]
    fn rows_may_be_quoted_wide_and_end_as_windows_ends_them() {
        let mut seen = Vec::new();
        let text = "\u{feff}id, list\r\n1,\"[1, 2]\"\r\n";
        let table = Table::new(text.as_bytes()).unwrap();
        assert_eq!(table.column("id").unwrap(), 0);
        table
            .for_each(|line, fields| {
                seen.push((line, fields.join("|")));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [(2, "1|[1, 2]".to_owned())]);
        let wide = format!("{}\n{}\n", vec!["c"; 40].join(","), vec!["7"; 40].join(","));
        assert_eq!(rows(wide.as_bytes()).unwrap(), 1);
    }

    #[test]
    fn errors_have_the_line() {
        let short = rows(b"a,b\n1,2\n3\n").unwrap_err().to_string();
        assert!(short.starts_with("line 3") && short.contains("the header has 2"), "{short}");
        let bytes = rows(b"a,b\n1,\xff\n").unwrap_err().to_string();
        assert!(bytes.starts_with("line 2") && bytes.contains("UTF-8"), "{bytes}");
        assert!(matches!(rows(b"a,b\n"), Err(TableError::Empty)));
        let missing = Table::new(&b"a,b\n"[..]).unwrap().column("c").unwrap_err().to_string();
        assert!(missing.contains("`a,b`") && missing.contains("`c`"), "{missing}");
    }
}
