//! The pixels of a slice: read, windowed, made square and small, and written as PNG.

use std::path::Path;

use hemora_ct::{Plane, Slice, Window, nearest_byte, resize};
use hemora_io::{Source, read_png, read_slice};

use super::annotation::{Annotation, mask_of_sample, mbh_seg, phe_sich};
use super::item::{GreyScale, Item, Marks, Pixels, SliceLabels};
use super::tables::PHE_SIDE;

/// A slice as it is written.
#[derive(Debug)]
pub(super) struct Made {
    pub labels: SliceLabels,
    /// Height and width, pixels.
    pub side: usize,
    /// `side²` values of the brain window.
    pub grey: Vec<u8>,
    pub annotation: Option<Annotation>,
    /// Why the annotation was left out, if it was.
    pub not_annotated: Option<String>,
}

/// Reads a slice and makes what is written of it, at most `size` pixels high and wide.
///
/// # Errors
/// Why the slice is left out.
pub(super) fn make(item: &Item, size: usize) -> Result<Made, String> {
    let slice = read(&item.pixels)?;
    let shape = [slice.rows(), slice.columns()];
    let mut labels = item.labels;
    let marked = match &item.marks {
        Marks::None => Ok(None),
        Marks::Boxes(boxes) if shape == [PHE_SIDE; 2] => {
            Ok(Some(phe_sich(PHE_SIDE, &labels, boxes)))
        }
        Marks::Boxes(_) => Err(format!("boxes of a picture that is not {PHE_SIDE} × {PHE_SIDE}")),
        Marks::Types { path, doubtful } => {
            // The labels are the mask's: without it nothing is known of the slice.
            let mask = read_mask(path, &slice)?;
            let (annotation, found) = mbh_seg([mask.0.rows, mask.0.columns], &mask.1, *doubtful)?;
            labels = found;
            Ok(Some(annotation))
        }
        Marks::Blood(path) => read_mask(path, &slice).and_then(|(plane, mask)| {
            let known = labels.map(|label| label.unwrap_or_default());
            mask_of_sample([plane.rows, plane.columns], &mask, known)
        }),
    };
    let (annotation, not_annotated) = match marked {
        Ok(annotation) => (annotation, None),
        Err(reason) => (None, Some(reason)),
    };
    let windowed = squared(slice.into_upright().windowed(Window::BRAIN));
    let side = windowed.rows.min(size);
    let grey = resize(&windowed, side, side);
    Ok(Made {
        labels,
        side,
        grey: grey.values.iter().map(|&value| nearest_byte(value * 255.0)).collect(),
        annotation: annotation.map(|all| all.squared().scaled(side, side)),
        not_annotated,
    })
}

fn read(pixels: &Pixels) -> Result<Slice, String> {
    match pixels {
        Pixels::Png(path, scale) => hu_of_png(path, *scale),
        Pixels::Dicom(path) => {
            let read = read_slice(&Source::File(path.clone()));
            Ok(read.map_err(|error| error.to_string())?.1)
        }
    }
}

fn hu_of_png(path: &Path, scale: GreyScale) -> Result<Slice, String> {
    let picture = read_png(path).map_err(|error| error.to_string())?;
    let hu = picture.values.iter().map(|&grey| scale.hu(grey)).collect();
    Slice::new(picture.rows, picture.columns, hu, None).map_err(|error| error.to_string())
}

/// A mask of the slice, drawn on its stored pixels, turned as the slice will be: its shape then, and its
/// bytes.
fn read_mask(path: &Path, slice: &Slice) -> Result<(Plane, Vec<u8>), String> {
    let mask = read_png(path).map_err(|error| format!("its mask is unusable: {error}"))?;
    if (mask.rows, mask.columns) != (slice.rows(), slice.columns()) {
        return Err("its mask has another shape".to_owned());
    }
    let turned = Slice::new(mask.rows, mask.columns, mask.values, slice.plane);
    let mask = turned.map_err(|error| error.to_string())?.into_upright().into_plane();
    let bytes = mask.values.iter().map(|&value| nearest_byte(value * 255.0)).collect();
    Ok((mask, bytes))
}

/// Enlarged to a square by black, alike on both sides.
fn squared(image: Plane) -> Plane {
    let side = image.rows.max(image.columns);
    if image.rows == image.columns {
        return image;
    }
    let (top, left) = ((side - image.rows) / 2, (side - image.columns) / 2);
    let mut values = vec![0.0; side * side];
    for (row, line) in image.values.chunks_exact(image.columns).enumerate() {
        values[(top + row) * side + left..][..image.columns].copy_from_slice(line);
    }
    Plane { rows: side, columns: side, values }
}

/// The bytes of an 8-bit PNG of `side` × `side` pixels, grey or RGB.
///
/// # Errors
/// Why it cannot be written.
pub(super) fn png_bytes(
    side: usize,
    colours: png::ColorType,
    pixels: &[u8],
) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side as u32, side as u32);
    encoder.set_color(colours);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.map_err(std::io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use hemora_ct::LABEL_COUNT;

    use super::super::item::Set;
    use super::*;

    fn write(folder: &Path, name: &str, [rows, columns]: [u32; 2], pixels: &[u8]) -> Pixels {
        let path = folder.join(name);
        let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), columns, rows);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        Pixels::Png(path, GreyScale::BRAIN)
    }

    fn item(pixels: Pixels, marks: Marks) -> Item {
        let mut labels = [Some(false); LABEL_COUNT];
        (labels[1], labels[5]) = (Some(true), Some(true));
        let (id, group) = ("ID_a".to_owned(), "p".to_owned());
        Item { set: Set::RsnaPng, id, group, labels, z: None, pixels, marks }
    }

    #[test]
    fn every_scale_comes_to_the_brain_window() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<u8> = (0..=255).collect();
        let Pixels::Png(path, _) = write(folder.path(), "a.png", [16, 16], &all) else {
            unreachable!()
        };
        let grey = |scale| make(&item(Pixels::Png(path.clone(), scale), Marks::None), 320).unwrap();
        assert_eq!(grey(GreyScale::BRAIN).grey, all);
        let mbh = grey(GreyScale::MBH_SEG).grey;
        assert_eq!((mbh[0], mbh[40], mbh[80], mbh[255]), (0, 128, 255, 255));
        let phe = grey(GreyScale::PHE_SICH).grey;
        // 0 HU is 36.4 and 80 HU 182.1 of PHE-SICH's 255.
        assert_eq!((phe[36], phe[109], phe[182], phe[183]), (0, 127, 255, 255));
        assert!(phe[37] > 0 && phe[181] < 255, "{} {}", phe[37], phe[181]);
    }

    #[test]
    fn pictures_become_square_and_no_larger_than_asked() {
        let folder = tempfile::tempdir().unwrap();
        let wide = write(folder.path(), "wide.png", [32, 64], &[200; 32 * 64]);
        let made = make(&item(wide, Marks::None), 48).unwrap();
        assert_eq!((made.side, made.grey.len()), (48, 48 * 48));
        let column: Vec<u8> = made.grey.iter().skip(24).step_by(48).copied().collect();
        assert_eq!((column[0], column[10], column[24], column[37], column[47]), (0, 0, 200, 0, 0));
    }

    #[test]
    fn a_mask_lies_on_its_picture_and_another_shape_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let picture = write(folder.path(), "a.png", [4, 8], &[0; 32]);
        let mut mask = [0; 32];
        mask[8 + 3] = 255;
        write(folder.path(), "mask.png", [4, 8], &mask);
        let marks = Marks::Blood(folder.path().join("mask.png"));
        let made = make(&item(picture.clone(), marks), 320).unwrap();
        // Row 1 of 4 is row 3 of the square of 8.
        let annotation = made.annotation.unwrap();
        assert_eq!(annotation.present[3 * 8 + 3], 2 | 32);
        assert_eq!(annotation.present.iter().filter(|bits| **bits != 0).count(), 1);

        write(folder.path(), "mask.png", [8, 4], &mask);
        let marks = Marks::Blood(folder.path().join("mask.png"));
        let made = make(&item(picture, marks), 320).unwrap();
        assert_eq!(made.annotation, None);
        assert!(made.not_annotated.unwrap().contains("another shape"));
    }

    #[test]
    fn unusable_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.png");
        std::fs::write(&path, [137, 80]).unwrap();
        let cut = make(&item(Pixels::Png(path.clone(), GreyScale::BRAIN), Marks::None), 320);
        assert!(cut.unwrap_err().contains("PNG"));
        assert!(make(&item(Pixels::Dicom(path.clone()), Marks::None), 320).is_err());
        let good = write(folder.path(), "a.png", [2, 2], &[0; 4]);
        let lost = make(&item(good, Marks::Types { path, doubtful: false }), 320);
        assert!(lost.unwrap_err().contains("mask"));
    }
}
