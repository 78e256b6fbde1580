//! Enhanced CT objects: each frame is an image of its own.

use hemora_io::{ReadError, Source, collect, read_header, read_headers, read_slice};

use crate::encodings::run_length;
use crate::raw::{Encoding, Front, Raw, refusal, write_file};

const POSITION: u32 = 0x0020_0032;
const ORIENTATION: u32 = 0x0020_0037;
const INTERCEPT: u32 = 0x0028_1052;
const SHARED: u32 = 0x5200_9229;
const PER_FRAME: u32 = 0x5200_9230;

fn group(sequence: u32, content: Raw) -> Raw {
    Raw::default().items(sequence, &[content])
}

/// Three frames of 3 × 4 pixels, the second highest in the patient and with its own rescale.
pub fn enhanced() -> Raw {
    let value = |tag, text: &str| Raw::default().text(tag, b"DS", text);
    let rescale = |intercept: &str| value(INTERCEPT, intercept).text(0x0028_1053, b"DS", "1");
    let shared = group(0x0020_9116, value(ORIENTATION, "1\\0\\0\\0\\1\\0"))
        .items(0x0028_9110, &[value(0x0028_0030, "0.5\\0.5").text(0x0018_0050, b"DS", "5")])
        .items(0x0028_9145, &[rescale("-1024")])
        .items(0x0018_9314, &[Raw::default().text(0x0018_1210, b"SH", "H31s")])
        .items(0x0018_9329, &[Raw::default().text(0x0008_9007, b"CS", "ORIGINAL\\PRIMARY")]);
    let place = |z: &str| group(0x0020_9113, value(POSITION, &format!("-100\\-90\\{z}")));
    let frames = [place("10"), place("20").items(0x0028_9145, &[rescale("-1000")]), place("15")];
    [POSITION, ORIENTATION, INTERCEPT, 0x0028_0030, 0x0028_1053]
        .into_iter()
        .fold(Raw::image(), Raw::without)
        .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2.1")
        .text(0x0028_0008, b"IS", "3")
        .items(SHARED, &[shared])
        .items(PER_FRAME, &frames)
        .pixels(&(0..36).collect::<Vec<u16>>())
}

#[test]
fn every_frame_has_its_place_and_its_rescale() {
    let folder = tempfile::tempdir().unwrap();
    for encoding in [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig] {
        let path =
            write_file(folder.path(), "a.dcm", &enhanced().file_in(encoding, Front::Preamble));
        let object = Source::File(path);
        let headers = read_headers(&object).unwrap();
        assert_eq!(headers.len(), 3);
        for (index, (z, first)) in
            [(10.0, -1024.0), (20.0, -988.0), (15.0, -1000.0)].into_iter().enumerate()
        {
            let header = &headers[index];
            let frame = Source::Frame { object: Box::new(object.clone()), number: index + 1 };
            assert_eq!(header.source, frame);
            assert_eq!(read_header(&frame).unwrap(), *header);
            let uid = header.sop_instance_uid.as_deref().unwrap();
            assert_eq!(header.image_id(), format!("{uid}-frame{}", index + 1));
            let plane = header.plane.unwrap();
            assert_eq!((plane.position, plane.spacing), ([-100.0, -90.0, z], Some([0.5, 0.5])));
            assert_eq!(header.slice_thickness, Some(5.0));
            assert_eq!(header.convolution_kernel.as_deref(), Some("H31s"));
            assert_eq!(header.image_type, ["ORIGINAL", "PRIMARY"]);
            let (_, slice) = read_slice(&frame).unwrap();
            let expected: Vec<f32> = (0..12).map(|pixel| first + pixel as f32).collect();
            assert_eq!(slice.hu(), expected, "{encoding:?} {index}");
        }
        assert!(headers[1].source.to_string().ends_with("a.dcm, frame 2"));
    }
}

#[test]
fn frames_make_a_series_in_the_order_of_their_places() {
    let folder = tempfile::tempdir().unwrap();
    write_file(folder.path(), "a.dcm", &enhanced().file());
    let found = collect(&[folder.path().to_owned()], &|_, _| ());
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    let series = &found.studies[0].series[0];
    let sources: Vec<String> = series.slices.iter().map(|it| it.source.to_string()).collect();
    let ends = ["frame 1", "frame 3", "frame 2"];
    assert!(sources.iter().zip(ends).all(|(source, end)| source.ends_with(end)), "{sources:?}");
    assert_eq!(series.warnings, []);
    // The same object again is a copy, frame by frame.
    write_file(folder.path(), "b.dcm", &enhanced().file());
    let found = collect(&[folder.path().to_owned()], &|_, _| ());
    assert_eq!((found.studies[0].series[0].slices.len(), found.skipped.len()), (3, 3));
}

#[test]
fn compressed_frames_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let image = enhanced();
    // Each image's RLE frame, out of a file of its own.
    let frame = |begin: u16| {
        let file = run_length(&Raw::image(), &(begin..begin + 12).collect::<Vec<u16>>());
        let length = 64 + 2 * 13;
        let end = file.len() - 8;
        file[end - length..end].to_vec()
    };
    let frames = [frame(0), frame(12), frame(24)];
    let fragments: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let file = image.fragments(&fragments).syntax("1.2.840.10008.1.2.5").file();
    let object = Source::File(write_file(folder.path(), "a.dcm", &file));
    let (_, third) = read_slice(&Source::Frame { object: Box::new(object), number: 3 }).unwrap();
    assert_eq!(third.hu()[0], -1000.0);
}

#[test]
fn frames_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let object = Source::File(write_file(folder.path(), "a.dcm", &enhanced().file()));
    assert!(matches!(refusal(&enhanced().file()), ReadError::MultiFrame(3)));
    for number in [0, 4, usize::MAX] {
        let frame = Source::Frame { object: Box::new(object.clone()), number };
        for error in [read_header(&frame).unwrap_err(), read_slice(&frame).unwrap_err()] {
            assert!(matches!(error, ReadError::NoFrame { frames: 3, .. }), "{error}");
        }
    }
    let nested = Source::Frame { object: Box::new(object), number: 1 };
    let nested = Source::Frame { object: Box::new(nested), number: 1 };
    assert!(read_slice(&nested).is_err());
    let groups = refusal(&enhanced().without(PER_FRAME).file());
    assert!(matches!(groups, ReadError::FunctionalGroups { frames: 3, groups: 0 }), "{groups}");
    for count in ["-1", "99999999", "x"] {
        let error = refusal(&enhanced().text(0x0028_0008, b"IS", count).file());
        assert!(matches!(error, ReadError::BadAttribute { .. }), "{count}: {error}");
    }
    // A table would be held once a frame.
    let table = Raw::default().words(0x0028_3002, &[3, 5, 16]).words(0x0028_3006, &[1, 2, 4]);
    let table = refusal(&enhanced().items(0x0028_3000, &[table]).file()).to_string();
    assert!(table.starts_with("ModalityLUTSequence is"), "{table}");
    let short = refusal(&enhanced().pixels(&[0; 24]).file());
    assert!(matches!(short, ReadError::PixelsCutOff { expected: 72, found: 48 }), "{short}");
}

#[test]
fn a_collection_keeps_the_file_that_its_frames_are_read_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_file(folder.path(), "a.dcm", &enhanced().file());
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let [one, other] = [(); 2].map(|()| collect(std::slice::from_ref(&path), &|_, _| ()));
    let [of_one, of_other] = [&one, &other].map(|found| &found.studies[0].series[0]);
    let before = read_slice(&of_one.slices[1].source).unwrap().1;
    of_one.read_slice(0).unwrap();
    // Other pixels in a file that looks the same from outside.
    std::fs::write(&path, enhanced().pixels(&[7; 36]).file()).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    let after = of_other.read_slice(1).unwrap().1;
    assert_ne!(after.hu(), before.hu(), "the other collection has not read it before");
    assert_eq!(of_one.read_slice(1).unwrap().1.hu(), before.hu(), "not read again");
    // A file that changed is.
    file.set_modified(modified + std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(of_one.read_slice(1).unwrap().1.hu(), after.hu());
    assert_eq!(one.reader().read_slice(&of_one.slices[1].source).unwrap().1.hu(), after.hu());
}
