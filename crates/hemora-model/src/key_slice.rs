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
    pub any_map: Option<ActivationMap>,
    /// Where it sees the leading subtype.
    pub subtype_map: Option<ActivationMap>,
}

impl KeySlice {
    /// The maps that there are: of any hemorrhage, then of the leading subtype.
    pub fn maps(&self) -> impl Iterator<Item = &ActivationMap> {
        [&self.any_map, &self.subtype_map].into_iter().flatten()
    }
}

/// Where a network sees one label: 0 to 1, over the whole image at the feature map's resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationMap {
    /// The label.
    pub label: Label,
    /// The map; its largest value is 1.
    pub plane: Plane,
}

impl ActivationMap {
    /// The map at the size of an image, `rows` × `columns` pixels, interpolated linearly.
    pub fn upsampled(&self, rows: usize, columns: usize) -> Plane {
        resize(&self.plane, rows, columns)
    }
}
