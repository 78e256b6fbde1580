//! Files that cannot be used, each with its own reason.

use hemora_io::{ReadError, Source, read_header};

use crate::raw::{COLUMNS, Encoding, Front, PIXEL_DATA, ROWS, Raw, hu, refusal, write_file};
use crate::{encodings, shared};

#[test]
fn what_is_no_dicom_file() {
    for bytes in [&b""[..], b"x", b"a text file that somebody named .dcm\n", &[0; 1000]] {
        assert!(matches!(refusal(bytes), ReadError::NotDicom));
    }
    let folder = tempfile::tempdir().unwrap();
    let folder_source = Source::File(folder.path().to_owned());
    assert!(matches!(read_header(&folder_source), Err(ReadError::NotAFile)));
    let missing = Source::File(folder.path().join("none.dcm"));
    assert!(matches!(read_header(&missing), Err(ReadError::Io(_))));
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let file = Raw::image().file();
    for end in 132..file.len() {
        let error = refusal(&file[..end]);
        assert!(error.is_failure(), "cut at {end}: {error}");
    }
    let pixels_cut = refusal(&file[..file.len() - 1]);
    assert!(
        matches!(pixels_cut, ReadError::PixelsCutOff { expected: 24, found: 23 }),
        "{pixels_cut}"
    );
    for bytes in [
        encodings::deflated(&Raw::image()),
        encodings::run_length(&Raw::image(), &[0; 12]),
        encodings::jpeg(&Raw::image(), 3, 4, &[0; 12]),
    ] {
        assert!(hu(&bytes).is_ok());
        // Without the closing delimiter and the end marker all pixels are still there.
        for end in (132..bytes.len() - 14).rev().take(20) {
            assert!(hu(&bytes[..end]).is_err(), "cut at {end} of {}", bytes.len());
        }
    }
}

#[test]
fn a_real_file_cut_off_inside_its_pixels() {
    let Some(folder) = shared::folder("rsna-sample/dicom") else { return };
    let bytes = std::fs::read(&shared::dicom_files(&folder)[0]).unwrap();
    let error = refusal(&bytes[..bytes.len() / 2]);
    let found = match error {
        ReadError::PixelsCutOff { expected: 524_288, found } => found,
        other => panic!("{other}"),
    };
    assert!(found < 524_288 / 2);
}

#[test]
fn sizes_that_do_not_fit_the_data() {
    let image = Raw::image;
    let bad_size = |image: Raw| match refusal(&image.file()) {
        ReadError::BadAttribute { attribute, .. } => attribute,
        other => panic!("{other}"),
    };
    assert_eq!(bad_size(image().words(ROWS, &[0])), "Rows × Columns");
    assert_eq!(bad_size(image().words(COLUMNS, &[0])), "Rows × Columns");
    assert_eq!(bad_size(image().words(ROWS, &[65535]).words(COLUMNS, &[65535])), "Rows × Columns");
    let tall = refusal(&image().words(ROWS, &[8192]).words(COLUMNS, &[8192]).file());
    assert!(matches!(tall, ReadError::PixelsCutOff { expected: 134_217_728, found: 24 }), "{tall}");
    let missing = refusal(&image().without(ROWS).file());
    assert!(matches!(missing, ReadError::MissingAttribute("Rows")), "{missing}");
    // Compressed pixels: the image's header asks for more than the frame has.
    let (tall, twelve) = (image().words(ROWS, &[8192]).words(COLUMNS, &[8192]), [0; 12]);
    for bytes in [encodings::run_length(&tall, &twelve), encodings::jpeg(&tall, 3, 4, &twelve)] {
        assert!(matches!(hu(&bytes), Err(ReadError::Decode { .. })));
    }
    // The frame has more than the image's header asks for.
    let bytes = encodings::jpeg(&image(), 60, 40, &[0; 2400]);
    assert!(matches!(hu(&bytes), Err(ReadError::Decode { .. })));
}

#[test]
fn attributes_out_of_range() {
    let refused = |tag, words: &[u16]| match refusal(&Raw::image().words(tag, words).file()) {
        ReadError::BadAttribute { attribute, .. } => attribute,
        other => panic!("{other}"),
    };
    assert_eq!(refused(0x0028_0100, &[12]), "BitsAllocated");
    assert_eq!(refused(0x0028_0101, &[0]), "BitsStored");
    assert_eq!(refused(0x0028_0101, &[17]), "BitsStored");
    assert_eq!(refused(0x0028_0103, &[2]), "PixelRepresentation");
    for slope in ["0", "NaN", "inf", "abc"] {
        let error = refusal(&Raw::image().text(0x0028_1053, b"DS", slope).file());
        let message = error.to_string();
        assert!(message.contains("RescaleSlope") && message.contains("expected"), "{message}");
    }
    // A slope of 1 alone changes nothing; of another, nobody knows what it makes.
    let lone =
        |slope: &str| Raw::image().without(0x0028_1052).text(0x0028_1053, b"DS", slope).file();
    assert_eq!(hu(&lone("1.0")).unwrap()[11], 11.0);
    for slope in ["2", "0", "NaN"] {
        let message = refusal(&lone(slope)).to_string();
        assert!(message.contains("RescaleIntercept") || slope == "NaN", "{message}");
    }
    let table = Raw::default().words(0x0028_3002, &[9, 0, 16]).words(0x0028_3006, &[1, 2]);
    let error = refusal(&Raw::image().items(0x0028_3000, &[table]).file());
    assert!(error.to_string().contains("LUTData"), "{error}");
}

#[test]
fn images_that_are_not_single_grey_ct_frames() {
    let image = Raw::image;
    let magnetic = refusal(&image().text(0x0008_0060, b"CS", "MR").file());
    assert!(matches!(&magnetic, ReadError::OtherModality(found) if found == "MR"));
    let directory = image().without(PIXEL_DATA).without(0x0008_0060);
    let directory = refusal(&directory.text(0x0008_0016, b"UI", "1.2.840.10008.1.3.10").file());
    assert!(matches!(&directory, ReadError::NotCtImage(found) if found == "DICOMDIR"));
    let report = image().without(PIXEL_DATA).text(0x0008_0060, b"CS", "SR");
    let report = refusal(&report.text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.88.22").file());
    assert!(matches!(&report, ReadError::OtherModality(found) if found == "SR"));
    for left_out in [magnetic, directory, report] {
        assert!(!left_out.is_failure(), "{left_out}");
    }

    let frames = refusal(&image().text(0x0028_0008, b"IS", "30").file());
    assert!(frames.is_failure() && frames.to_string().starts_with("30 frames"), "{frames}");
    for one in ["1", "0"] {
        assert!(hu(&image().text(0x0028_0008, b"IS", one).file()).is_ok());
    }
    let colour = image().words(0x0028_0002, &[3]).text(0x0028_0004, b"CS", "RGB");
    assert!(matches!(refusal(&colour.file()), ReadError::Colour { samples: 3, .. }));
    let palette = image().text(0x0028_0004, b"CS", "PALETTE COLOR");
    assert!(matches!(refusal(&palette.file()), ReadError::Colour { samples: 1, .. }));
    let enhanced = image().text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2.1");
    let groups = refusal(&enhanced.file());
    assert!(matches!(groups, ReadError::FunctionalGroups { frames: 1, groups: 0 }), "{groups}");
    let empty = refusal(&image().without(PIXEL_DATA).file());
    assert!(matches!(empty, ReadError::MissingAttribute("PixelData")), "{empty}");
}

#[test]
fn transfer_syntaxes_that_cannot_be_read_are_named() {
    for (uid, name) in [
        ("1.2.840.10008.1.2.4.92", "Multi-component"),
        ("1.2.840.10008.1.2.4.100", "MPEG2"),
        #[cfg(not(feature = "jpeg-xl"))]
        ("1.2.840.10008.1.2.4.110", "feature jpeg-xl"),
        ("1.2.840.10008.1.2.4.52", "retired"),
        ("1.2.3.4", "not in the standard"),
    ] {
        let message = refusal(&Raw::image().fragments(&[b"abcd"]).syntax(uid).file()).to_string();
        assert!(message.contains(uid) && message.contains(name), "{message}");
    }
    // What is no CT image anyway is left out, however it is encoded.
    let other = Raw::image().text(0x0008_0060, b"CS", "MR").syntax("1.2.840.10008.1.2.4.100");
    assert!(!refusal(&other.file()).is_failure());
}

#[test]
fn small_files_that_ask_for_much_memory_or_a_deep_stack() {
    let element = |tag: u32, length: u32| {
        let mut bytes = Vec::new();
        bytes.extend(((tag >> 16) as u16).to_le_bytes());
        bytes.extend((tag as u16).to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes
    };
    let front = Raw::default().front(Encoding::ImplicitLittle, Front::Preamble);
    let huge = [front.clone(), element(0x0008_0060, 0xFFFF_FFF0), vec![0; 100]].concat();
    assert!(matches!(refusal(&huge), ReadError::Truncated { .. }));
    let level = [element(0x0008_1140, u32::MAX), element(0xFFFE_E000, u32::MAX)].concat();
    let deep = [front, level.repeat(50_000)].concat();
    assert!(matches!(refusal(&deep), ReadError::Malformed { .. }));

    // A header that inflates a thousand times.
    let bomb = Raw::image().bytes(0x0009_0010, b"OB", &vec![0; 80 << 20]);
    let folder = tempfile::tempdir().unwrap();
    let path = write_file(folder.path(), "bomb.dcm", &encodings::deflated(&bomb));
    assert!(path.metadata().unwrap().len() < 1 << 20);
    let error = read_header(&Source::File(path)).unwrap_err();
    assert!(matches!(error, ReadError::Malformed { .. }), "{error}");
}

#[test]
fn values_of_another_unit_are_refused_by_name() {
    for unit in ["Z_EFF", "ED", "OD", "hu_mod"] {
        let error = refusal(&Raw::image().text(0x0028_1054, b"LO", unit).file());
        let text = error.to_string();
        assert!(text.starts_with(&format!("RescaleType is {unit:?}, expected HU")), "{text}");
    }
    for unit in ["HU", "hu ", "US", ""] {
        assert!(hu(&Raw::image().text(0x0028_1054, b"LO", unit).file()).is_ok(), "{unit:?}");
    }
    let table = |unit: &str| {
        let table = Raw::default().words(0x0028_3002, &[3, 5, 16]).text(0x0028_3004, b"LO", unit);
        Raw::image().items(0x0028_3000, &[table.words(0x0028_3006, &[1, 2, 4])]).file()
    };
    for unit in ["Z_EFF", "OD"] {
        let text = refusal(&table(unit)).to_string();
        assert!(text.starts_with(&format!("ModalityLUTType is {unit:?}, expected HU")), "{text}");
    }
    for unit in ["HU", "US", ""] {
        assert!(hu(&table(unit)).is_ok(), "{unit:?}");
    }
}

#[test]
fn undeclared_padding_beyond_every_ct_value_is_air_at_the_edge() {
    // −2000 as an unsigned word at three corners, and inside.
    let pixels = [63536, 1100, 1100, 63536, 1100, 63536, 1100, 1100, 63536, 1100, 1100, 1100];
    let image = Raw::image().words(0x0028_0103, &[0]).pixels(&pixels);
    let found = hu(&image.file()).unwrap();
    let expected = [-1000.0, 76.0, 76.0, -1000.0, 76.0, 62512.0, 76.0, 76.0, -1000.0];
    assert_eq!(found[..9], expected);
}
