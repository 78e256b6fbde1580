//! What a point of the head is made of, and its HU.

use hemora_ct::Label;

/// A part of the ventricular system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ventricle {
    /// Lateral ventricle on the patient's left (x > 0).
    Left,
    /// Lateral ventricle on the patient's right.
    Right,
    /// Third ventricle.
    Third,
    /// Fourth ventricle.
    Fourth,
}

/// The kinds of material that the phantom tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tissue {
    /// Air around the head and in its sinuses.
    Air,
    /// Skull, face and spine.
    Bone,
    /// Muscle, skin, mucosa, the eyes.
    Soft,
    /// Fat of scalp, orbits and face.
    Fat,
    /// Fluid of sulci, fissures and cisterns.
    Csf,
    /// Fluid of a ventricle.
    VentricularCsf(Ventricle),
    /// Grey matter, the deep nuclei included.
    Grey,
    /// White matter.
    White,
    /// Cerebellum and brain stem.
    Hindbrain,
    /// Falx, tentorium, the venous sinuses and arteries.
    Dura,
    /// Calcified pineal gland, choroid plexus or falx.
    Calcification,
    /// Blood where it should not be.
    Blood(Label),
}

/// The phantom at one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub(crate) hu: f32,
    pub(crate) tissue: Tissue,
}

impl Sample {
    pub(crate) fn new(hu: f32, tissue: Tissue) -> Self {
        Self { hu, tissue }
    }

    pub(crate) const AIR: Sample = Sample { hu: -1000.0, tissue: Tissue::Air };
}

/// HU of one person's tissues on one scanner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    pub(crate) grey: f32,
    pub(crate) white: f32,
    pub(crate) csf: f32,
    pub(crate) dura: f32,
    pub(crate) muscle: f32,
    pub(crate) fat: f32,
}
