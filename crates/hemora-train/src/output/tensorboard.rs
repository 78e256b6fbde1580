//! TensorBoard's event files: records framed as in TFRecord, each a protocol-buffer `Event`.
//!
//! The messages and tags are those of TensorFlow's `event.proto` and `summary.proto`; only what
//! scalars and texts need is declared.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use super::files::FileError;

/// Begins the name of every event file; TensorBoard looks for it.
const PREFIX: &str = "events.out.tfevents";

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

/// Writes scalars that TensorBoard shows as curves.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Goes on in `folder` after `step` steps: a new file for what follows. What earlier files hold
    /// beyond `step` is cut off, since a run that was killed does those steps again.
    ///
    /// # Errors
    /// [`FileError`] if a file cannot be read or written.
    pub fn open(folder: &Path, step: u64) -> Result<Self, FileError> {
        Self::open_after(folder, step).map_err(FileError::on("write the events in", folder))
    }

    fn open_after(folder: &Path, step: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let files = event_files(folder)?;
        for path in &files {
            keep_steps(path, step)?;
        }
        let now = seconds();
        // TensorBoard reads a folder's files in the order of their names.
        let number = files.len();
        let name = format!("{PREFIX}.{now:.0}.{number:04}.hemora");
        let path = folder.join(name);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let mut writer = Self { path, file };
        let version = Some("brain.Event:2".to_owned());
        writer.write(&Event { wall_time: now, step: 0, file_version: version, summary: None })?;
        Ok(writer)
    }

    /// Appends the values of a step by their names; those that are not finite are left out.
    ///
    /// # Errors
    /// [`FileError`] if the file cannot be written.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<(), FileError> {
        let value = values
            .iter()
            .filter(|(_, value)| value.is_finite())
            .map(|(tag, value)| Value { tag: (*tag).to_owned(), simple_value: *value as f32 })
            .collect();
        let (wall_time, summary) = (seconds(), Some(Summary { value }));
        self.write(&Event { wall_time, step: step as i64, file_version: None, summary })
            .map_err(FileError::on("append to", &self.path))
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        self.file.write_all(&record(&event.encode_to_vec()))
    }
}

/// The values in the event files of a folder: step, name and value, in the order written.
///
/// # Errors
/// What the operating system reports.
pub fn scalars(folder: &Path) -> io::Result<Vec<(u64, String, f32)>> {
    let mut found = Vec::new();
    for path in event_files(folder)? {
        let bytes = std::fs::read(path)?;
        for event in payloads(&bytes).filter_map(|payload| Event::decode(payload).ok()) {
            let step = u64::try_from(event.step).unwrap_or(0);
            let values = event.summary.unwrap_or_default().value;
            found.extend(values.into_iter().map(|value| (step, value.tag, value.simple_value)));
        }
    }
    Ok(found)
}

fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

fn event_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Removes the event files of a folder.
///
/// # Errors
/// What the operating system reports.
pub fn remove(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        for path in event_files(folder)? {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes the file again without events beyond `step` and without what follows a broken record.
fn keep_steps(path: &Path, step: u64) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let kept: Vec<u8> = payloads(&bytes)
        .filter(|payload| {
            Event::decode(*payload)
                .is_ok_and(|event| event.step <= step.min(i64::MAX as u64) as i64)
        })
        .flat_map(record)
        .collect();
    if kept != bytes { hemora_base::write_bytes(path, &kept) } else { Ok(()) }
}

/// A record: length, the length's checksum, the bytes, their checksum.
fn record(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u64).to_le_bytes();
    let mut bytes = length.to_vec();
    bytes.extend(masked_crc32c(&length).to_le_bytes());
    bytes.extend(payload);
    bytes.extend(masked_crc32c(payload).to_le_bytes());
    bytes
}

/// The payloads of all records up to the first that is broken or cut off.
fn payloads(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(12)?;
        let (length, sum) = head.split_at(8);
        let number = u64::from_le_bytes(length.try_into().ok()?);
        let (payload, rest) = rest.split_at_checked(usize::try_from(number).ok()?)?;
        let (end, rest) = rest.split_at_checked(4)?;
        let sums = [masked_crc32c(length), masked_crc32c(payload)].map(u32::to_le_bytes);
        bytes = rest;
        (sum == sums[0] && end == sums[1]).then_some(payload)
    })
}

/// CRC-32C (Castagnoli), turned and shifted as TFRecord does so that checksums of data that hold
/// checksums stay good.
fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0x82F6_3B78 & 0u32.wrapping_sub(crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_rfc_3720s() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
    }

    #[test]
    fn a_resumed_run_writes_its_steps_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::open(folder.path(), 0).unwrap();
        for step in 1..=3 {
            writer.scalars(step, &[("loss", 0.5 * step as f64), ("none", f64::NAN)]).unwrap();
        }
        // A kill in the middle of a record.
        writer.file.write_all(&[24, 0, 0, 0, 0, 0, 0, 0, 1]).unwrap();
        let mut writer = EventWriter::open(folder.path(), 2).unwrap();
        writer.scalars(3, &[("loss", 9.0)]).unwrap();
        let loss = |step, value| (step, "loss".to_owned(), value);
        assert_eq!(scalars(folder.path()).unwrap(), [loss(1, 0.5), loss(2, 1.0), loss(3, 9.0)]);
        remove(folder.path()).unwrap();
        assert_eq!(scalars(folder.path()).unwrap(), []);
    }
}
