//! Zip archives, honest and not.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use hemora_io::{ReadError, Source, collect, read_slice};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::raw::{Raw, write_file};

fn image(number: u16) -> Vec<u8> {
    let position = format!("0\\0\\{number}");
    Raw::image()
        .text(0x0008_0018, b"UI", &format!("ID_{number}"))
        .text(0x0020_0032, b"DS", &position)
        .pixels(&[number; 12])
        .file()
}

fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut writer = ZipWriter::new(File::create(path).unwrap());
    for (index, (name, bytes)) in entries.iter().enumerate() {
        let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
        let options = SimpleFileOptions::default().compression_method(methods[index % 2]);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn studies_in_nested_folders_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.ZIP");
    archive(
        &path,
        &[
            ("a/b/3.dcm", &image(3)),
            ("a/1", &image(1)),
            ("2.dcm", &image(2)),
            ("a/README.txt", b"about this study"),
            ("__MACOSX/._2.dcm", b"clutter"),
            ("a/.DS_Store", b"clutter"),
            ("broken.dcm", b"no DICOM"),
            ("inner.zip", b"PK\x03\x04"),
        ],
    );
    let found = collect(&[folder.path().to_owned()], &|_, _| ());
    assert_eq!(found.studies.len(), 1);
    let slices = &found.studies[0].series[0].slices;
    let values: Vec<f32> =
        slices.iter().map(|slice| read_slice(&slice.source).unwrap().1.hu()[0] + 1024.0).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
    let reasons: Vec<String> = found
        .skipped
        .iter()
        .map(|skipped| format!("{}: {:?}", skipped.source, skipped.reason))
        .map(|text| text.rsplit('!').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        reasons,
        ["a/README.txt: OtherFile", "broken.dcm: NotDicom", "inner.zip: NestedArchive"]
    );
}

#[test]
fn entries_that_leave_the_archive_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    write_file(folder.path(), "outside.dcm", &image(9));
    let path = folder.path().join("in/study.zip");
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let names = ["../outside.dcm", "/etc/1.dcm", "a/../../2.dcm", "..\\3.dcm", "C:\\4.dcm"];
    let bytes = image(1);
    let mut entries: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &bytes[..])).collect();
    let good = image(5);
    entries.push(("good..name.dcm", &good));
    archive(&path, &entries);
    let found = collect(&[path], &|_, _| ());
    assert_eq!(found.skipped.len(), names.len());
    for skipped in &found.skipped {
        assert!(matches!(skipped.reason, ReadError::UnsafeName), "{}", skipped.source);
        assert!(skipped.reason.is_failure());
    }
    let slices = &found.studies[0].series[0].slices;
    assert_eq!(slices.len(), 1);
    assert_eq!(slices[0].image_id(), "ID_5");
}

#[test]
fn damaged_encrypted_and_empty_archives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    archive(&path, &[("1.dcm", &image(1)), ("2.dcm", &image(2))]);
    let good = std::fs::read(&path).unwrap();

    // Bit 0 of the flags says that an entry is encrypted (APPNOTE 4.4.4).
    let mut encrypted = good.clone();
    for at in 0..encrypted.len() - 10 {
        match &encrypted[at..at + 4] {
            b"PK\x03\x04" => encrypted[at + 6] |= 1,
            b"PK\x01\x02" => encrypted[at + 8] |= 1,
            _ => {}
        }
    }
    let path = write_file(folder.path(), "encrypted.zip", &encrypted);
    let found = collect(std::slice::from_ref(&path), &|_, _| ());
    assert!(found.studies.is_empty());
    assert_eq!(found.skipped.len(), 2);
    assert!(found.skipped.iter().all(|file| matches!(file.reason, ReadError::Encrypted)));
    let direct = Source::Entry { archive: path, index: 0, name: "1.dcm".to_owned() };
    assert!(matches!(read_slice(&direct), Err(ReadError::Encrypted)));

    let cut = write_file(folder.path(), "cut.zip", &good[..good.len() / 2]);
    let found = collect(&[cut], &|_, _| ());
    assert!(matches!(found.skipped[0].reason, ReadError::Archive(_)));

    let empty = folder.path().join("empty.zip");
    archive(&empty, &[]);
    let found = collect(&[empty], &|_, _| ());
    assert!(matches!(found.skipped[0].reason, ReadError::Empty));

    // A pixel changed in a stored entry: only the checksum can tell.
    let pixels = [1, 0].repeat(12);
    let at = good.windows(24).position(|window| window == pixels).unwrap();
    let mut flipped = good.clone();
    flipped[at + 5] ^= 0x10;
    let read = |bytes: &[u8]| {
        let archive = write_file(folder.path(), "flipped.zip", bytes);
        read_slice(&Source::Entry { archive, index: 0, name: "1.dcm".to_owned() })
    };
    assert!(read(&good).is_ok());
    assert!(read(&flipped).unwrap_err().is_failure());
}

#[test]
fn an_entry_that_claims_to_be_small_is_still_read_in_full_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    archive(&path, &[("1.dcm", &image(1))]);
    let size = (image(1).len() as u32).to_le_bytes();
    let bytes = std::fs::read(&path).unwrap();
    for claim in [0u32, 10, u32::MAX - 1] {
        let mut bytes = bytes.clone();
        for at in 0..bytes.len() - 4 {
            if bytes[at..at + 4] == size {
                bytes[at..at + 4].copy_from_slice(&claim.to_le_bytes());
            }
        }
        let path = write_file(folder.path(), "claim.zip", &bytes);
        let found = collect(&[path], &|_, _| ());
        assert_eq!(found.studies.len() + found.skipped.len(), 1, "{claim}");
    }
}
