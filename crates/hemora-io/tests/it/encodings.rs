//! Every encoding of one image gives the same HU and the same header.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};
use hemora_ct::Window;
use hemora_io::{Source, read_header, read_slice};

use crate::jpeg_lossless;
use crate::raw::{COLUMNS, Encoding, Front, Raw, hu, write_file};

fn expected() -> Vec<f32> {
    (0..12).map(|value| value as f32 - 1024.0).collect()
}

pub fn deflated(image: &Raw) -> Vec<u8> {
    let image = image.clone().syntax("1.2.840.10008.1.2.1.99");
    let mut file = image.front(Encoding::ExplicitLittle, Front::Preamble);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&image.data_set(Encoding::ExplicitLittle)).unwrap();
    file.extend(encoder.finish().unwrap());
    file
}

/// RLE of literal runs, the high bytes first.
pub fn run_length(image: &Raw, pixels: &[u16]) -> Vec<u8> {
    let segment = |byte: usize| {
        let bytes: Vec<u8> = pixels.iter().map(|pixel| pixel.to_be_bytes()[byte]).collect();
        bytes
            .chunks(128)
            .flat_map(|run| [&[run.len() as u8 - 1], run].concat())
            .collect::<Vec<u8>>()
    };
    let (high, low) = (segment(0), segment(1));
    let mut header = vec![2, 64, 64 + high.len() as u32];
    header.resize(16, 0);
    let mut frame: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    frame.extend(high);
    frame.extend(low);
    image.clone().fragments(&[&frame]).syntax("1.2.840.10008.1.2.5").file()
}

pub fn jpeg(image: &Raw, rows: u16, columns: u16, pixels: &[u16]) -> Vec<u8> {
    let frame = jpeg_lossless::encode(rows, columns, pixels);
    let (first, second) = frame.split_at(frame.len() / 2);
    image.clone().fragments(&[first, second]).syntax("1.2.840.10008.1.2.4.70").file()
}

#[test]
fn every_data_set_encoding_with_and_without_front_matter() {
    let encodings = [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig];
    for encoding in encodings {
        for front in [Front::Preamble, Front::MetaOnly, Front::Nothing] {
            let file = Raw::image().file_in(encoding, front);
            assert_eq!(hu(&file).unwrap(), expected(), "{encoding:?} {front:?}");
        }
    }
    assert_eq!(hu(&deflated(&Raw::image())).unwrap(), expected());
}

#[test]
fn meta_headers_without_preamble_group_length_or_value_representations() {
    let image = Raw::image();
    for encoding in [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig] {
        let file = image.file_in(encoding, Front::MetaOnly);
        // (0002,0000) UL of four bytes.
        assert_eq!(hu(&file[12..]).unwrap(), expected(), "{encoding:?}");
    }
    let meta = Raw::default()
        .text(0x0002_0002, b"UI", "1.2.840.10008.5.1.4.1.1.2")
        .text(0x0002_0010, b"UI", "1.2.840.10008.1.2.1")
        .data_set(Encoding::ImplicitLittle);
    let data_set = image.data_set(Encoding::ExplicitLittle);
    let preamble = [&[0; 128][..], b"DICM"].concat();
    for front in [&[][..], &preamble] {
        assert_eq!(hu(&[front, &meta, &data_set].concat()).unwrap(), expected());
    }
}

#[test]
fn the_first_element_outweighs_a_transfer_syntax_that_contradicts_it() {
    let [implicit, explicit] = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];
    for (encoding, syntax) in
        [(Encoding::ExplicitLittle, implicit), (Encoding::ImplicitLittle, explicit)]
    {
        let file = Raw::image().syntax(syntax).file_in(encoding, Front::Preamble);
        assert_eq!(hu(&file).unwrap(), expected(), "{encoding:?}");
    }
}

#[test]
fn files_in_gzip_are_read_as_what_they_inflate_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&Raw::image().file()).unwrap();
    let path = write_file(folder.path(), "image.dcm.gz", &gzip.finish().unwrap());
    let source = Source::File(path);
    let (header, slice) = read_slice(&source).unwrap();
    assert_eq!(slice.hu(), expected());
    assert_eq!(header, read_header(&source).unwrap());
}

#[test]
fn an_intercept_needs_no_slope() {
    assert_eq!(hu(&Raw::image().without(0x0028_1053).file()).unwrap(), expected());
}

#[test]
fn lossless_frames_need_no_end_marker_but_all_of_their_bits() {
    let pixels: Vec<u16> = (0..12).map(|pixel| pixel * 2749).collect();
    let image = Raw::image();
    let whole = jpeg(&image, 3, 4, &pixels);
    let frame = jpeg_lossless::encode(3, 4, &pixels);
    let end = frame.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).unwrap();
    let file =
        |frame: &[u8]| image.clone().fragments(&[frame]).syntax("1.2.840.10008.1.2.4.70").file();
    assert_eq!(hu(&file(&frame[..end])).unwrap(), hu(&whole).unwrap());
    for cut in end - 16..end - 1 {
        assert!(hu(&file(&frame[..cut])).is_err(), "cut at {cut} of {end}");
    }
    // Fill bytes, and bytes behind the end.
    let filled = [&frame[..end], &[0xFF, 0xFF, 0xFF, 0xD9, 7, 7]].concat();
    assert_eq!(hu(&file(&filled)).unwrap(), hu(&whole).unwrap());
}

#[test]
fn every_pixel_coding() {
    let pixels: Vec<u16> = (0..12).collect();
    let image = Raw::image();
    assert_eq!(hu(&run_length(&image, &pixels)).unwrap(), expected());
    assert_eq!(hu(&jpeg(&image, 3, 4, &pixels)).unwrap(), expected());
    let bytes: Vec<u8> = pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
    let (first, second) = bytes.split_at(10);
    let encapsulated = image.fragments(&[first, second]).syntax("1.2.840.10008.1.2.1.98").file();
    assert_eq!(hu(&encapsulated).unwrap(), expected());
}

#[test]
fn negative_pixels_survive_lossless_jpeg() {
    let pixels = [-2000, -1, 0, 1, 32767, -32768].map(|pixel: i16| pixel as u16);
    let image = Raw::image().words(COLUMNS, &[2]);
    let expected = [-3024.0, -1025.0, -1024.0, -1023.0, 31743.0, -33792.0];
    assert_eq!(hu(&jpeg(&image, 3, 2, &pixels)).unwrap(), expected);
}

#[test]
fn eight_and_thirty_two_bits() {
    let image = Raw::image().words(0x0028_0100, &[8]).words(0x0028_0101, &[8]);
    let image = image.words(0x0028_0102, &[7]);
    let eight = image.bytes(0x7FE0_0010, b"OB", &[0, 1, 127, 128, 255, 0, 0, 0, 0, 0, 0, 254]);
    assert_eq!(hu(&eight.file()).unwrap()[1..5], [-1023.0, -897.0, -1152.0, -1025.0]);

    let image = Raw::image().words(0x0028_0100, &[32]).words(0x0028_0101, &[32]);
    let image = image.words(0x0028_0102, &[31]);
    let values: Vec<u8> = (0..12).flat_map(|value: i32| (value * -70_000).to_le_bytes()).collect();
    let wide = image.bytes(0x7FE0_0010, b"OW", &values);
    assert_eq!(hu(&wide.file()).unwrap()[..2], [-1024.0, -71_024.0]);
}

#[test]
fn bits_beside_the_stored_ones_do_not_count() {
    let hu_of = |raw: u16, bits_stored: u16, high_bit: u16, signed: bool| {
        let image = Raw::image().words(0x0028_0101, &[bits_stored]);
        let image = image.words(0x0028_0102, &[high_bit]).words(0x0028_0103, &[signed.into()]);
        hu(&image.without(0x0028_1052).pixels(&[raw; 12]).file()).unwrap()[0]
    };
    assert_eq!(hu_of(0xF00F, 12, 11, false), 15.0);
    assert_eq!(hu_of(0x0FFF, 12, 11, true), -1.0);
    assert_eq!(hu_of(0xF7FF, 12, 11, true), 2047.0);
    // Whatever HighBit says, other readers take the lowest bits.
    for high_bit in [0, 10, 15, 200] {
        assert_eq!(hu_of(0xFFF7, 12, high_bit, true), -9.0);
        assert_eq!(hu_of(0xF00F, 12, high_bit, false), 15.0);
        assert_eq!(hu_of(0x0120, 12, high_bit, false), 288.0);
        assert_eq!(hu_of(0xFE00, 12, high_bit, true), -512.0);
    }
    // But pixels that are shifted up show it.
    assert_eq!(hu_of(0x1230, 12, 15, false), 291.0);
    assert_eq!(hu_of(0x8010, 12, 15, true), -2047.0);
    assert_eq!(hu_of(0x8000, 16, 15, true), -32768.0);
    assert_eq!(hu_of(0x8000, 16, 15, false), 32768.0);
}

#[test]
fn a_modality_table_goes_before_the_line() {
    for encoding in [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig] {
        let table =
            Raw::default().words(0x0028_3002, &[3, 5, 16]).words(0x0028_3006, &[100, 200, 400]);
        let image = Raw::image().items(0x0028_3000, &[table]);
        let hu = hu(&image.file_in(encoding, Front::Preamble)).unwrap();
        assert_eq!(hu[4..9], [100.0, 100.0, 200.0, 400.0, 400.0], "{encoding:?}");
    }
}

#[test]
fn the_header_as_the_competition_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = Raw::image().file_in(Encoding::ImplicitLittle, Front::Preamble);
    let source = Source::File(write_file(folder.path(), "a.dcm", &file));
    let header = read_header(&source).unwrap();
    assert_eq!(header.source, source);
    assert_eq!(header.image_id(), "ID_000012eaf");
    assert_eq!(header.window, Some(Window { level: 36.0, width: 80.0 }));
    assert_eq!((header.rows, header.columns), (3, 4));
    assert_eq!(header.instance_number, None);
    let plane = header.plane.unwrap();
    assert_eq!(plane.position, [-125.0, -115.89798, 77.970825]);
    assert!((plane.tilt_degrees() - 22.0).abs() < 0.01);
}

#[test]
fn geometry_out_of_range_is_left_out_but_the_image_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let position = |text| Raw::image().text(0x0020_0032, b"DS", text);
    let orientation = |text| Raw::image().text(0x0020_0037, b"DS", text);
    let unusable = [
        position("nan\\0\\0"),
        position("1e300\\0\\0"),
        position("1\\2"),
        orientation("0\\0\\0\\0\\0\\0"),
        orientation("1\\0\\0\\1\\0\\0"),
        Raw::image().without(0x0020_0032),
    ];
    for (index, image) in unusable.iter().enumerate() {
        let path = write_file(folder.path(), "a.dcm", &image.file());
        assert_eq!(read_header(&Source::File(path)).unwrap().plane, None, "{index}");
    }
    let spacing = Raw::image().text(0x0028_0030, b"DS", "0\\0.5").file();
    let header = read_header(&Source::File(write_file(folder.path(), "a.dcm", &spacing))).unwrap();
    assert_eq!(header.plane.unwrap().spacing, None);
}
