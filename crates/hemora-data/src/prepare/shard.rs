//! Shards: many slices of HU in one file, each a Zstandard frame, with a table beside.
//!
//! `shards/N.hu` is frames one after the other; unpacked, each is 16-bit little-endian HU, row by
//! row. `shards/N.csv` says which frame is whose: `ID,offset,bytes,rows,columns,reason`; a slice
//! with a reason has no frame.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::error::PrepareError;
use super::files::{in_path, write_whole};
use crate::table::{Table, TableError, with_file};

/// HU and their rows and columns.
pub(super) type HuImage = (Vec<i16>, [usize; 2]);

/// Writes a shard unless its table is there, and says which of its slices were skipped and why.
/// Where `images` ends early with `None`, nothing is left.
pub(super) fn write_shard<'a>(
    folder: &Path,
    number: usize,
    ids: impl Iterator<Item = &'a str>,
    images: impl Iterator<Item = Option<Result<HuImage, String>>>,
) -> Result<Vec<(usize, String)>, PrepareError> {
    let table_path = folder.join(format!("{number:05}.csv"));
    if let Ok(entries) = read_shard_table(&table_path) {
        let places = entries.into_iter().enumerate();
        return Ok(places.filter_map(|(place, entry)| Some((place, entry.skipped?))).collect());
    }
    let path = folder.join(format!("{number:05}.hu"));
    let partial = folder.join(format!("{number:05}.hu.partial"));
    let mut file = BufWriter::new(in_path(&partial, File::create(&partial))?);
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["ID", "offset", "bytes", "rows", "columns", "reason"];
    table.write_record(header).expect("memory takes all");
    let (mut offset, mut skipped) = (0usize, Vec::new());
    for (place, (id, image)) in ids.zip(images).enumerate() {
        let Some(image) = image else {
            drop(file);
            in_path(&partial, fs::remove_file(&partial))?;
            return Ok(Vec::new());
        };
        let row = match image {
            Ok((hu, [rows, columns])) => {
                let bytes: Vec<u8> = hu.into_iter().flat_map(i16::to_le_bytes).collect();
                let frame = compress_to_vec(bytes.as_slice(), CompressionLevel::Fastest);
                in_path(&partial, file.write_all(&frame))?;
                let row = [offset, frame.len(), rows, columns].map(|value| value.to_string());
                offset += frame.len();
                (row, String::new())
            }
            Err(reason) => {
                skipped.push((place, reason.clone()));
                (["0"; 4].map(str::to_owned), reason)
            }
        };
        let (numbers, reason) = &row;
        let fields = [id].into_iter().chain(numbers.iter().map(String::as_str)).chain([&**reason]);
        table.write_record(fields).expect("memory takes all");
    }
    let file = in_path(&partial, file.into_inner().map_err(std::io::IntoInnerError::into_error))?;
    in_path(&partial, file.sync_all())?;
    in_path(&path, fs::rename(&partial, &path))?;
    let table = table.into_inner().expect("memory takes all");
    write_whole(&table_path, |file| file.write_all(&table))?;
    Ok(skipped)
}

/// One slice of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShardEntry {
    pub(crate) id: String,
    offset: u64,
    bytes: u64,
    rows: usize,
    columns: usize,
    /// Why the slice is not in the shard.
    pub(crate) skipped: Option<String>,
}

/// The table of a shard.
pub(crate) fn read_shard_table(path: &Path) -> Result<Vec<ShardEntry>, TableError> {
    with_file(path, |file| {
        let table = Table::new(file)?;
        let place = |name| table.column(name);
        let columns = [place("ID")?, place("reason")?];
        let numbers = [place("offset")?, place("bytes")?, place("rows")?, place("columns")?];
        let mut entries = Vec::new();
        table.for_each(|_, fields| {
            let mut values = [0u64; 4];
            for (value, column) in values.iter_mut().zip(numbers) {
                let text = fields[column];
                *value = text.parse().map_err(|_| format!("`{text}` is no count"))?;
            }
            let [offset, bytes, rows, wide] = values;
            if rows.max(wide) > 8192 {
                return Err(format!("{rows} × {wide} pixels; expected at most 8192 × 8192"));
            }
            let [id, reason] = columns.map(|column| fields[column].to_owned());
            let skipped = (!reason.is_empty()).then_some(reason);
            let (rows, columns) = (rows as usize, wide as usize);
            entries.push(ShardEntry { id, offset, bytes, rows, columns, skipped });
            Ok(())
        })?;
        Ok(entries)
    })
}

/// The HU of a slice, given the bytes of its shard.
pub(crate) fn unpack(shard: &[u8], entry: &ShardEntry) -> Result<HuImage, String> {
    let cut_off = "the shard ends before the slice does";
    let start = usize::try_from(entry.offset).map_err(|_| cut_off)?;
    let end = usize::try_from(entry.bytes).ok().and_then(|bytes| start.checked_add(bytes));
    let frame = end.and_then(|end| shard.get(start..end)).ok_or(cut_off)?;
    let expected = entry.rows * entry.columns * 2;
    let decoder = StreamingDecoder::new(frame).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = decoder.take(expected as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() != expected {
        return Err(format!("{} bytes unpacked; expected {expected}", bytes.len()));
    }
    let hu = bytes.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
    Ok((hu, [entry.rows, entry.columns]))
}
