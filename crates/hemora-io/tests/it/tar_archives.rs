//! Tar archives, plain and in gzip, honest and not.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use hemora_io::{Collection, ReadError, Source, collect, list_sources, read_bytes, read_slice};

use crate::raw::{Encoding, Front, Raw, write_file};

/// An image whose first pixel is its number.
fn image(number: u16) -> Vec<u8> {
    Raw::image()
        .text(0x0008_0018, b"UI", &format!("ID_{number}"))
        .text(0x0020_0032, b"DS", &format!("0\\0\\{number}"))
        .pixels(&[number; 12])
        .file()
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The archive under each of its names, plain or in gzip as they say.
fn written(folder: &Path, bytes: &[u8]) -> [PathBuf; 3] {
    let compressed = gzip(bytes);
    [("a.tar", bytes), ("b.tar.gz", &compressed), ("C.TGZ", &compressed)]
        .map(|(name, bytes)| write_file(folder, name, bytes))
}

/// The first pixels of all slices in the order of their places, read from below and from above.
fn values(found: &Collection) -> Vec<u16> {
    let series = &found.studies[0].series[0];
    let read = |index: usize| (series.read_slice(index).unwrap().1.hu()[0] + 1024.0) as u16;
    let upwards: Vec<u16> = (0..series.slices.len()).map(read).collect();
    let downwards = (0..series.slices.len()).rev().map(read);
    assert!(upwards.iter().rev().copied().eq(downwards));
    let alone = series.slices.iter().map(|slice| read_slice(&slice.source).unwrap().1.hu()[0]);
    assert!(alone.eq(upwards.iter().map(|&value| f32::from(value) - 1024.0)));
    upwards
}

fn reasons(found: &Collection) -> Vec<String> {
    let reason = |file: &hemora_io::Skipped| {
        let source = file.source.to_string();
        format!("{}: {}", source.rsplit('!').next().unwrap(), file.reason)
    };
    found.skipped.iter().map(reason).collect()
}

#[test]
fn studies_in_nested_folders_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/2.dcm", ["folder"; 30].join("/"));
    let bytes = tar(&[
        ("./a/b/3.dcm", &image(3)),
        ("a/1", &image(1)),
        (&long, &image(2)),
        ("a/größe.dcm", &image(4)),
        ("a/README.txt", b"about this study"),
        ("a/._1", b"clutter"),
        ("broken.dcm", b"no DICOM"),
        ("inner.tgz", b"\x1F\x8B"),
    ]);
    for path in written(folder.path(), &bytes) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = collect(std::slice::from_ref(&path), &|_, _| ());
        assert_eq!(found.studies.len(), 1, "{name}: {:?}", reasons(&found));
        assert_eq!(values(&found), [1, 2, 3, 4], "{name}");
        let sources = found.studies[0].series[0].slices.iter().map(|it| it.source.to_string());
        let expected = ["a/1", &long, "a/b/3.dcm", "a/größe.dcm"];
        let expected = expected.map(|entry| format!("{}!{entry}", path.display()));
        assert!(sources.eq(expected), "{name}");
        let is_nested =
            |file: &&hemora_io::Skipped| matches!(file.reason, ReadError::NestedArchive);
        assert_eq!(found.skipped.iter().filter(is_nested).count(), 1, "{name}");
        let failures = found.skipped.iter().filter(|file| file.reason.is_failure());
        assert_eq!((found.skipped.len(), failures.count()), (3, 2), "{:?}", reasons(&found));
    }
    // In a folder they are found by their names, and by what they are where they are named.
    let found = collect(&[folder.path().to_owned()], &|_, _| ());
    assert_eq!((found.studies[0].series[0].slices.len(), found.skipped.len()), (4, 8 + 9));
    let path = write_file(folder.path(), "export", &gzip(&bytes));
    assert_eq!(values(&collect(&[path], &|_, _| ())), [1, 2, 3, 4]);
}

/// The header of the entry with this name, which claims `size` bytes from now on.
fn claim(bytes: &[u8], name: &str, size: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    let mut header = tar::Header::from_byte_slice(&bytes[at..at + 512]).clone();
    header.set_size(size);
    header.set_cksum();
    bytes[at..at + 512].copy_from_slice(header.as_bytes());
    bytes
}

#[test]
fn an_entry_that_lies_about_its_size_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let images: Vec<Vec<u8>> = (1..=5).map(image).collect();
    let names = ["1.dcm", "2.dcm", "3.dcm", "4.dcm", "5.dcm"];
    let entries: Vec<(&str, &[u8])> =
        names.into_iter().zip(images.iter().map(Vec::as_slice)).collect();
    let good = tar(&entries);
    let size = images[1].len() as u64;
    // Whether the entry itself can be read.
    for (claimed, is_read) in [
        (size, true),
        (0, false),
        (size - 600, false),
        (size + 700, true),
        (3 * size, true),
        (1 << 30, false),
        (1 << 40, false),
        ((1 << 63) - 1, false),
    ] {
        for path in written(folder.path(), &claim(&good, "2.dcm", claimed)) {
            let found = collect(std::slice::from_ref(&path), &|_, _| ());
            let context = format!("{claimed} in {}: {:?}", path.display(), reasons(&found));
            let expected: &[u16] = if is_read { &[1, 2, 3, 4, 5] } else { &[1, 3, 4, 5] };
            assert_eq!(values(&found), expected, "{context}");
            assert_eq!(found.skipped.is_empty(), claimed == size, "{context}");
            assert!(found.skipped.iter().all(|file| file.reason.is_failure()), "{context}");
        }
    }
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, three) = (image(1), image(2), image(3));
    let good = tar(&[("1.dcm", &one), ("2.dcm", &two), ("3.dcm", &three)]);
    let second = good.windows(5).position(|window| window == b"2.dcm").unwrap();

    let mut damaged = good.clone();
    damaged[second + 130] ^= 7;
    for path in written(folder.path(), &damaged) {
        let found = collect(&[path], &|_, _| ());
        assert_eq!(values(&found), [1, 3]);
        let expected = format!(
            "byte {second}: archive cannot be read: no entry begins where one should; unpack it \
             with another tool"
        );
        assert_eq!(reasons(&found), [expected]);
    }

    for (end, expected) in [(second, &[1][..]), (second + 700, &[1]), (second + 100, &[1])] {
        for path in written(folder.path(), &good[..end]) {
            let found = collect(&[path], &|_, _| ());
            assert_eq!(values(&found), expected, "{end}");
            assert!(found.skipped.len() == 1 && found.skipped[0].reason.is_failure(), "{end}");
        }
    }

    // Cut off in the compressed bytes, and changed there.
    let compressed = gzip(&good);
    let mut changed = compressed.clone();
    let last = changed.len() - 5;
    changed[last] ^= 0x20;
    for bytes in [&compressed[..compressed.len() - 20], &changed] {
        let path = write_file(folder.path(), "cut.tar.gz", bytes);
        let found = collect(&[path], &|_, _| ());
        let failures = found.skipped.iter().filter(|file| file.reason.is_failure()).count();
        assert!(values(&found).starts_with(&[1]) && failures >= 1, "{:?}", reasons(&found));
    }

    for (name, bytes) in
        [("empty.tar", &[0; 1024][..]), ("text.tar", b"no archive"), ("x.tgz", b"")]
    {
        let path = write_file(folder.path(), name, bytes);
        let found = collect(std::slice::from_ref(&path), &|_, _| ());
        assert!(found.studies.is_empty() && found.skipped.len() == 1, "{name}");
        assert_eq!(found.skipped[0].source, Source::File(path), "{name}");
        assert!(found.skipped[0].reason.is_failure(), "{name}");
    }
}

#[test]
fn entries_that_leave_the_archive_and_those_that_are_no_files_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = image(1);
    let mut builder = tar::Builder::new(Vec::new());
    let mut names = vec!["x/../../outside.dcm", "/etc/1.dcm", "C:\\2.dcm"];
    names.push("good.dcm");
    for name in &names {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    for (kind, name) in [(tar::EntryType::Symlink, "link"), (tar::EntryType::Directory, "folder")] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, name, "/etc/passwd").unwrap();
    }
    let archive = builder.into_inner().unwrap();
    for path in written(folder.path(), &archive) {
        let found = collect(&[path], &|_, _| ());
        assert_eq!(values(&found), [1]);
        assert_eq!(found.skipped.len(), 3, "{:?}", reasons(&found));
        assert!(found.skipped.iter().all(|it| matches!(it.reason, ReadError::UnsafeName)));
    }
}

#[test]
fn an_archive_that_changed_since_is_not_read_as_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.tar", "a.tar.gz"] {
        let compress = |bytes: Vec<u8>| if name.ends_with("gz") { gzip(&bytes) } else { bytes };
        let (one, two) = (image(1), image(2));
        let path = write_file(folder.path(), name, &compress(tar(&[("1", &one), ("2", &two)])));
        let sources = list_sources(std::slice::from_ref(&path)).sources;
        assert_eq!(read_bytes(&sources[1]).unwrap(), two);
        // In any order, and again.
        assert_eq!(read_bytes(&sources[0]).unwrap(), one);
        assert_eq!(read_bytes(&sources[0]).unwrap(), one);
        write_file(folder.path(), name, &compress(tar(&[("other", &two), ("2", b"short")])));
        assert!(matches!(read_bytes(&sources[0]), Err(ReadError::Archive(_))));
    }
}

/// Whatever is in gzip is of the format that it inflates to.
#[test]
fn files_in_gzip_are_of_any_format() {
    let folder = tempfile::tempdir().unwrap();
    let hu = read_slice(&Source::File(write_file(folder.path(), "1", &image(1)))).unwrap().1;
    for (index, front) in [Front::Preamble, Front::MetaOnly, Front::Nothing].into_iter().enumerate()
    {
        let file = Raw::image()
            .text(0x0020_0032, b"DS", "0\\0\\1")
            .pixels(&[1; 12])
            .file_in(Encoding::ExplicitLittle, front);
        let path = write_file(folder.path(), &format!("gz/{index}.gz"), &gzip(&file));
        assert_eq!(read_slice(&Source::File(path)).unwrap().1, hu, "{front:?}");
    }
    let found = collect(&[folder.path().join("gz")], &|_, _| ());
    assert_eq!(found.studies[0].series[0].slices.len() + found.skipped.len(), 3);
    assert!(found.skipped.iter().all(|it| matches!(it.reason, ReadError::Duplicate { .. })));

    // A preamble may look like gzip.
    let mut file = image(1);
    file[..3].copy_from_slice(&[0x1F, 0x8B, 8]);
    let path = write_file(folder.path(), "preamble", &file);
    assert_eq!(read_slice(&Source::File(path)).unwrap().1, hu);

    let compressed = gzip(&image(1));
    let path = write_file(folder.path(), "cut.dcm.gz", &compressed[..compressed.len() - 9]);
    let found = collect(&[path], &|_, _| ());
    assert!(matches!(found.skipped[0].reason, ReadError::Gzip(_)), "{:?}", reasons(&found));
}
