//! The slices that a reader should see first, and where the networks looked, as data.

use hemora_ct::{Label, Plane, Probabilities, Slice, resize};

/// A slice worth a look.
#[derive(Debug, Clone)]
pub struct KeySlice {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// PatientID: two patients may share a study's UID.
    pub patient_id: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// Index in [`SeriesResult::slices`](crate::SeriesResult::slices).
    pub index: usize,
    /// Position along the slice normal, mm.
    pub z_mm: Option<f64>,
    /// The six probabilities.
    pub probabilities: Probabilities,
    /// The subtype with the highest probability on this slice.
    pub leading_subtype: Label,
    /// The decoded slice, HU.
    pub slice: Slice,
    /// Where the network sees any hemorrhage; `None` if nothing speaks for it or the network
    /// gives no activation maps.
    pub any_map: Option<LabelMap>,
    /// Where it sees the leading subtype.
    pub subtype_map: Option<LabelMap>,
}

impl KeySlice {
    /// The maps that there are: of any hemorrhage, then of the leading subtype.
    pub fn maps(&self) -> impl Iterator<Item = &LabelMap> {
        [&self.any_map, &self.subtype_map].into_iter().flatten()
    }
}

/// Where a network sees one label, over the whole image at the resolution of its maps.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap {
    /// The label.
    pub label: Label,
    /// What the values are.
    pub kind: MapKind,
    /// The map, 0 to 1.
    pub plane: Plane,
}

/// What the values of a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// Of a network that was trained to say where bleeds are: the probability of the label in each part
    /// of the image.
    Probability,
    /// Of any other: a class-activation map with a largest value of 1. It shows what spoke for the
    /// label, which need not be where it is.
    Activation,
}

impl LabelMap {
    /// The map at the size of an image, `rows` × `columns` pixels, interpolated linearly.
    pub fn upsampled(&self, rows: usize, columns: usize) -> Plane {
        resize(&self.plane, rows, columns)
    }
}
