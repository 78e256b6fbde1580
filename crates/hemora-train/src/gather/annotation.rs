//! What is known of the single pixels of a slice, by the rules of each set.

use hemora_ct::{LABEL_COUNT, Label};

use super::item::SliceLabels;

/// Pixels by which a box is grown: oedema and partial volume reach beyond the annotated clot, and what
/// bleeds there is no certain background.
const MARGIN: usize = 12;

/// The blood that a mask of the sample does not tell apart.
const DEEP: [Label; 2] = [Label::Intraparenchymal, Label::Intraventricular];

/// A box in pixels of its picture, corners included: columns `left..=right`, rows `top..=bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxInPixels {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Last column.
    pub right: usize,
    /// Last row.
    pub bottom: usize,
}

impl BoxInPixels {
    /// The box with `margin` pixels more on each side, those outside a picture of `side` pixels cut off.
    fn grown(self, margin: usize, side: usize) -> Self {
        Self {
            left: self.left.saturating_sub(margin),
            top: self.top.saturating_sub(margin),
            right: (self.right + margin).min(side - 1),
            bottom: (self.bottom + margin).min(side - 1),
        }
    }
}

/// Which labels are present in each pixel and which are not known there, one bit a label
/// ([`Label::index`]). A label that is neither is known to be absent from the pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Height in pixels.
    pub rows: usize,
    /// Width in pixels.
    pub columns: usize,
    /// `rows × columns` bytes: labels present.
    pub present: Vec<u8>,
    /// `rows × columns` bytes: labels not known.
    pub unknown: Vec<u8>,
}

fn bit(label: Label) -> u8 {
    1 << label.index()
}

fn bits(labels: impl IntoIterator<Item = Label>) -> u8 {
    labels.into_iter().fold(0, |bits, label| bits | bit(label))
}

impl Annotation {
    /// Everything known, nothing present, but for labels that are not known in any pixel.
    fn new([rows, columns]: [usize; 2], unknown: u8) -> Self {
        let pixels = rows * columns;
        Self { rows, columns, present: vec![0; pixels], unknown: vec![unknown; pixels] }
    }

    /// Labels become unknown in a box.
    fn forget(&mut self, within: BoxInPixels, unknown: u8) {
        for row in within.top..=within.bottom {
            let row = &mut self.unknown[row * self.columns..][within.left..=within.right];
            row.iter_mut().for_each(|pixel| *pixel |= unknown);
        }
    }

    /// Enlarged to a square by pixels that are known to be empty, alike on both sides.
    pub(super) fn squared(self) -> Self {
        let side = self.rows.max(self.columns);
        if self.rows == self.columns {
            return self;
        }
        let (top, left) = ((side - self.rows) / 2, (side - self.columns) / 2);
        let mut square = Self::new([side, side], 0);
        for row in 0..self.rows {
            let from = row * self.columns..(row + 1) * self.columns;
            let to = (top + row) * side + left..(top + row) * side + left + self.columns;
            square.present[to.clone()].copy_from_slice(&self.present[from.clone()]);
            square.unknown[to].copy_from_slice(&self.unknown[from]);
        }
        square
    }

    /// Resampled to `rows` × `columns`: each pixel takes what lies under its centre.
    pub fn scaled(&self, rows: usize, columns: usize) -> Self {
        let nearest = |index: usize, from: usize, to: usize| (2 * index + 1) * from / (2 * to);
        let pick = |values: &[u8]| {
            let mut picked = Vec::with_capacity(rows * columns);
            for row in 0..rows {
                let line = &values[nearest(row, self.rows, rows) * self.columns..][..self.columns];
                picked.extend((0..columns).map(|it| line[nearest(it, self.columns, columns)]));
            }
            picked
        };
        Self { rows, columns, present: pick(&self.present), unknown: pick(&self.unknown) }
    }

    /// Pixels of a PNG in 8-bit RGB: red has the labels present, green those not known, blue is 0.
    pub fn rgb(&self) -> Vec<u8> {
        let pixels = self.present.iter().zip(&self.unknown);
        pixels.flat_map(|(&present, &unknown)| [present, unknown, 0]).collect()
    }
}

/// A bleeding slice of PHE-SICH, `side` × `side` pixels, of which only intraparenchymal and any were
/// annotated, with boxes around clot and oedema.
///
/// Labels of which nothing is known are unknown in every pixel. The boxes hold blood and oedema alike, so
/// intraparenchymal and any are unknown in them, and any in a margin around them too; elsewhere both are
/// absent. Without a box both are unknown everywhere.
pub fn phe_sich(side: usize, labels: &SliceLabels, boxes: &[BoxInPixels]) -> Annotation {
    let unlabelled = Label::ALL.into_iter().filter(|label| labels[label.index()].is_none());
    let clot = bits([Label::Intraparenchymal, Label::Any]);
    let everywhere = bits(unlabelled) | if boxes.is_empty() { clot } else { 0 };
    let mut annotation = Annotation::new([side, side], everywhere);
    for &within in boxes {
        annotation.forget(within, clot);
        annotation.forget(within.grown(MARGIN, side), bit(Label::Any));
    }
    annotation
}

/// A mask of MBH-Seg25 (`rows × columns` values 0, or 1 to 5 for the subtypes in label order), and the
/// labels that follow from it. Epidural pixels are not known where they are `doubtful`.
///
/// # Errors
/// A value that is none of these.
pub fn mbh_seg(
    shape: [usize; 2],
    mask: &[u8],
    doubtful: bool,
) -> Result<(Annotation, SliceLabels), String> {
    let mut annotation = Annotation::new(shape, 0);
    let pixels = annotation.present.iter_mut().zip(&mut annotation.unknown);
    for (&value, (present, unknown)) in mask.iter().zip(pixels) {
        let Some(index) = value.checked_sub(1) else { continue };
        let Some(&label) = Label::SUBTYPES.get(usize::from(index)) else {
            return Err(format!("the mask has the value {value}; expected 0 to 5"));
        };
        let both = bits([label, Label::Any]);
        *(if doubtful && label == Label::Epidural { unknown } else { present }) = both;
    }
    let union = |values: &[u8]| values.iter().fold(0, |all, value| all | value);
    let (present, unknown) = (union(&annotation.present), union(&annotation.unknown));
    let labels = std::array::from_fn(|label| match 1u8 << label {
        bit if present & bit != 0 => Some(true),
        bit if unknown & bit != 0 => None,
        _ => Some(false),
    });
    Ok((annotation, labels))
}

/// A mask of intraparenchymal or intraventricular blood (`rows × columns` values 0 or 255) of a slice
/// with all its labels; `None` if it says no more than they do.
///
/// Blood in the mask is of the one of the two labels that the slice has; with both, the pixel does not
/// say which. Outside both are absent. Of other labels that the slice has no pixel is known, and so any
/// is known only within the mask.
///
/// # Errors
/// A value that is neither, or a mask that the labels contradict.
pub fn mask_of_sample(
    shape: [usize; 2],
    mask: &[u8],
    labels: [bool; LABEL_COUNT],
) -> Result<Option<Annotation>, String> {
    if let Some(value) = mask.iter().find(|value| !matches!(value, 0 | 255)) {
        return Err(format!("the mask has the value {value}; expected 0 or 255"));
    }
    let deep: Vec<Label> = DEEP.into_iter().filter(|label| labels[label.index()]).collect();
    match (mask.contains(&255), deep.is_empty()) {
        (true, true) => {
            return Err("a mask of a slice labelled neither intraparenchymal nor \
                        intraventricular"
                .to_owned());
        }
        (false, false) => {
            return Err(format!("an empty mask of a slice labelled {}", deep[0]));
        }
        (false, true) => return Ok(None),
        (true, false) => {}
    }
    let others = Label::SUBTYPES.into_iter().filter(|label| !DEEP.contains(label));
    let others = bits(others.filter(|label| labels[label.index()]));
    let outside = others | if others != 0 { bit(Label::Any) } else { 0 };
    let mut annotation = Annotation::new(shape, outside);
    let one = deep.len() == 1;
    let pixels = annotation.present.iter_mut().zip(&mut annotation.unknown);
    for (_, (present, unknown)) in mask.iter().zip(pixels).filter(|(value, _)| **value != 0) {
        let which = bits(deep.iter().copied());
        *present = bit(Label::Any) | if one { which } else { 0 };
        *unknown = others | if one { 0 } else { which };
    }
    Ok(Some(annotation))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPIDURAL: u8 = 1;
    const INTRAPARENCHYMAL: u8 = 2;
    const INTRAVENTRICULAR: u8 = 4;
    const SUBDURAL: u8 = 16;
    const ANY: u8 = 32;
    /// What PHE-SICH says of a slice that bleeds.
    const BLEEDS: SliceLabels = [None, Some(true), None, None, None, Some(true)];
    /// Its labels of which nothing is known.
    const UNLABELLED: u8 = 1 | 4 | 8 | 16;

    fn positive(labels: &[Label]) -> [bool; LABEL_COUNT] {
        Label::ALL.map(|label| labels.contains(&label))
    }

    #[test]
    fn a_box_hides_clot_and_its_margin_any() {
        let around = BoxInPixels { left: 50, top: 20, right: 60, bottom: 22 };
        let annotation = phe_sich(96, &BLEEDS, &[around]);
        assert!(annotation.present.iter().all(|&bits| bits == 0));
        let at = |row: usize, column: usize| annotation.unknown[row * 96 + column];
        let inside = UNLABELLED | INTRAPARENCHYMAL | ANY;
        for (row, column) in [(20, 50), (22, 60), (21, 55)] {
            assert_eq!(at(row, column), inside, "{row} {column}");
        }
        for (row, column) in [(19, 50), (23, 60), (20, 49), (22, 61), (8, 38), (34, 72)] {
            assert_eq!(at(row, column), UNLABELLED | ANY, "{row} {column}");
        }
        for (row, column) in [(7, 50), (35, 60), (20, 37), (22, 73), (0, 0)] {
            assert_eq!(at(row, column), UNLABELLED, "{row} {column}");
        }
    }

    #[test]
    fn a_box_at_the_edge_stays_in_the_picture_and_none_hides_all() {
        let corner = BoxInPixels { left: 30, top: 31, right: 31, bottom: 31 };
        let annotation = phe_sich(32, &BLEEDS, &[corner]);
        assert_eq!(annotation.unknown[31 * 32 + 31], UNLABELLED | INTRAPARENCHYMAL | ANY);
        assert_eq!(annotation.unknown[0], UNLABELLED);
        let annotation = phe_sich(32, &BLEEDS, &[]);
        let all = UNLABELLED | INTRAPARENCHYMAL | ANY;
        assert!(annotation.unknown.iter().all(|&bits| bits == all));
    }

    #[test]
    fn masks_of_types_give_labels_and_doubtful_pixels_none() {
        let (annotation, labels) = mbh_seg([1, 3], &[0, 1, 5], false).unwrap();
        assert_eq!(annotation.present, [0, EPIDURAL | ANY, SUBDURAL | ANY]);
        assert_eq!(annotation.unknown, [0; 3]);
        let no = Some(false);
        assert_eq!(labels, [Some(true), no, no, no, Some(true), Some(true)]);

        let (annotation, labels) = mbh_seg([1, 3], &[0, 1, 5], true).unwrap();
        assert_eq!(annotation.present, [0, 0, SUBDURAL | ANY]);
        assert_eq!(annotation.unknown, [0, EPIDURAL | ANY, 0]);
        assert_eq!(labels, [None, no, no, no, Some(true), Some(true)]);
        // Where nothing else bleeds, nobody knows whether anything does.
        assert_eq!(mbh_seg([1, 1], &[1], true).unwrap().1, [None, no, no, no, no, None]);
        assert_eq!(mbh_seg([1, 1], &[0], true).unwrap().1, [no; 6]);
        assert!(mbh_seg([1, 1], &[6], false).unwrap_err().contains("6; expected 0 to 5"));
    }

    #[test]
    fn a_mask_takes_the_one_label_that_the_slice_has() {
        use Label::{Any, Intraparenchymal, Intraventricular, Subdural};
        let mask = |labels: &[Label]| mask_of_sample([1, 2], &[0, 255], positive(labels));
        let one = mask(&[Intraventricular, Any]).unwrap().unwrap();
        assert_eq!(one.present, [0, INTRAVENTRICULAR | ANY]);
        assert_eq!(one.unknown, [0, 0]);
        let both = mask(&[Intraparenchymal, Intraventricular, Any]).unwrap().unwrap();
        assert_eq!(both.present, [0, ANY]);
        assert_eq!(both.unknown, [0, INTRAPARENCHYMAL | INTRAVENTRICULAR]);
        let other = mask(&[Intraparenchymal, Subdural, Any]).unwrap().unwrap();
        assert_eq!(other.present, [0, INTRAPARENCHYMAL | ANY]);
        assert_eq!(other.unknown, [SUBDURAL | ANY, SUBDURAL]);
        assert!(mask(&[Subdural, Any]).unwrap_err().contains("neither intraparenchymal"));
    }

    #[test]
    fn an_empty_mask_says_nothing_new_or_contradicts() {
        let empty = |labels: &[Label]| mask_of_sample([1, 2], &[0, 0], positive(labels));
        assert_eq!(empty(&[]), Ok(None));
        assert_eq!(empty(&[Label::Subdural, Label::Any]), Ok(None));
        let found = empty(&[Label::Intraventricular, Label::Any]).unwrap_err();
        assert!(found.contains("labelled intraventricular"), "{found}");
        let grey = mask_of_sample([1, 2], &[0, 128], [false; 6]).unwrap_err();
        assert!(grey.contains("128; expected 0 or 255"), "{grey}");
    }

    #[test]
    fn boxes_keep_their_place_when_the_picture_shrinks() {
        let around = BoxInPixels { left: 144, top: 72, right: 215, bottom: 143 };
        let small = phe_sich(288, &BLEEDS, &[around]).scaled(144, 144);
        let at = |row: usize, column: usize| small.unknown[row * 144 + column] & INTRAPARENCHYMAL;
        for (row, column) in [(36, 72), (71, 107)] {
            assert_ne!(at(row, column), 0, "{row} {column}");
        }
        for (row, column) in [(35, 72), (72, 107), (36, 71), (71, 108)] {
            assert_eq!(at(row, column), 0, "{row} {column}");
        }
    }

    #[test]
    fn squares_are_filled_with_known_emptiness_and_colours_are_bits() {
        let (annotation, _) = mbh_seg([1, 3], &[2, 0, 1], true).unwrap();
        let square = annotation.squared();
        assert_eq!((square.rows, square.columns), (3, 3));
        assert_eq!(square.present[3..6], [INTRAPARENCHYMAL | ANY, 0, 0]);
        assert_eq!(square.unknown, [0, 0, 0, 0, 0, EPIDURAL | ANY, 0, 0, 0]);
        assert_eq!(square.rgb()[9..18], [34, 0, 0, 0, 0, 0, 0, 33, 0]);
    }
}
