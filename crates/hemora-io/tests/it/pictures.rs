//! PNG and JPEG pictures in a window that the user declares.

use std::path::{Path, PathBuf};

use hemora_io::{
    Collection, FileFormat, PictureWindow, ReadError, ReadOptions, SeriesWarning, Source, collect,
    collect_with, read_header, read_slice,
};

use crate::raw::{Raw, write_file};

fn png(rows: u32, columns: u32, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, columns, rows);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    bytes
}

fn jpeg(side: u16, pixels: &[u8], colour: jpeg_encoder::ColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, 100).encode(pixels, side, side, colour).unwrap();
    bytes
}

fn window() -> PictureWindow {
    "40/80".parse().unwrap()
}

fn with_window(paths: &[PathBuf]) -> Collection {
    collect_with(paths, &ReadOptions { window: Some(window()) }, &|_, _| ())
}

fn picture(path: &Path) -> Source {
    Source::Picture { file: Box::new(Source::File(path.to_owned())), window: window() }
}

#[test]
fn grey_values_become_the_hu_of_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let source = picture(&write_file(folder.path(), "ID_7.png", &png(1, 3, &[0, 51, 255])));
    let (header, slice) = read_slice(&source).unwrap();
    assert_eq!(slice.hu(), [0.0, 16.0, 80.0]);
    assert_eq!(header, read_header(&source).unwrap());
    assert_eq!(
        (header.sop_instance_uid.as_deref(), header.instance_number),
        (Some("ID_7"), Some(7))
    );
    assert_eq!(header.window.map(|window| [window.level, window.width]), Some([40.0, 80.0]));
    // The rescale says the same.
    assert_eq!(header.rescale_slope * 255.0 + header.rescale_intercept, 80.0);
    let grey = jpeg(8, &[102; 64], jpeg_encoder::ColorType::Luma);
    let (_, slice) = read_slice(&picture(&write_file(folder.path(), "a.jpg", &grey))).unwrap();
    assert!(slice.hu().iter().all(|hu| (hu - 32.0).abs() < 0.5));
}

#[test]
fn a_folder_of_pictures_is_a_series_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for number in [10, 9, 100] {
        write_file(folder.path(), &format!("one/slice{number}.png"), &png(1, 1, &[number]));
    }
    write_file(folder.path(), "two/slice1.png", &png(1, 1, &[7]));
    // Another file that is called the same is another image.
    write_file(folder.path(), "one/slice9.jpg", &jpeg(8, &[9; 64], jpeg_encoder::ColorType::Luma));
    let found = with_window(&[folder.path().to_owned()]);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    assert_eq!(found.studies.len(), 2);
    let study = found.studies.iter().find(|study| study.series.len() == 2).unwrap();
    let series = &study.series[0];
    let names: Vec<&str> =
        series.slices.iter().filter_map(|it| it.sop_instance_uid.as_deref()).collect();
    assert_eq!(names, ["slice9", "slice10", "slice100"]);
    assert!(series.warnings.contains(&SeriesWarning::Pictures { window: window() }));
    assert!(
        series.warnings.iter().any(|warning| warning.to_string().contains("below 0 and above 80"))
    );
    assert!(series.slices.iter().all(|slice| slice.format == FileFormat::Picture(window())));
    // The same folder by another path has the same identifiers.
    let again = with_window(&[folder.path().join("one/../one"), folder.path().join("two")]);
    let uids = |found: &Collection| {
        found.studies.iter().map(|it| it.uid.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(uids(&found), uids(&again));
}

#[test]
fn without_a_window_a_picture_is_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_file(folder.path(), "a.png", &png(1, 1, &[7]));
    write_file(folder.path(), "b.dcm", &Raw::image().file());
    let in_folder = collect(&[folder.path().to_owned()], &|_, _| ());
    let named = collect(std::slice::from_ref(&path), &|_, _| ());
    for (found, fails) in [(&in_folder, false), (&named, true)] {
        let reason = &found.skipped[0].reason;
        assert!(reason.to_string().contains("--window 40/80"), "{reason}");
        assert_eq!(reason.is_failure(), fails);
    }
    assert_eq!(in_folder.studies.len(), 1);
    assert!(matches!(read_slice(&Source::File(path)), Err(ReadError::UndeclaredWindow { .. })));
    // The window changes nothing of DICOM files.
    let both = with_window(&[folder.path().to_owned()]);
    assert_eq!((both.studies.len(), both.skipped.len()), (2, 0));
    let dicom = both.studies.iter().flat_map(|study| &study.series).flat_map(|it| &it.slices);
    assert_eq!(dicom.filter(|slice| slice.format == FileFormat::Dicom).count(), 1);
}

#[test]
fn pictures_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let colour: Vec<u8> = [200, 100, 50].repeat(64);
    let files = [
        ("colour.jpg", jpeg(8, &colour, jpeg_encoder::ColorType::Rgb), "colours"),
        ("cut.png", png(9, 9, &[7; 81])[..40].to_vec(), "PNG"),
        ("b.png", Raw::image().file(), "neither a PNG nor a JPEG"),
    ];
    for (name, bytes, expected) in files {
        let source = picture(&write_file(folder.path(), name, &bytes));
        for error in [read_slice(&source).unwrap_err(), read_header(&source).unwrap_err()] {
            let message = error.to_string();
            assert!(
                matches!(error, ReadError::Picture(_)) && message.contains(expected),
                "{message}"
            );
        }
    }
}

#[test]
fn entries_of_archives_may_be_pictures() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for name in ["head/1.png", "head/2.png"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&png(1, 1, &[7])).unwrap();
    }
    archive.finish().unwrap();
    let found = with_window(&[path]);
    assert_eq!(found.studies[0].series[0].slices.len(), 2, "{:?}", found.skipped);
    let (_, slice) = read_slice(&found.studies[0].series[0].slices[1].source).unwrap();
    assert!((slice.hu()[0] - 7.0 * 80.0 / 255.0).abs() < 1e-4);
}
