//! The header of a volume: its size, its numbers, and where its voxels lie.

use crate::ReadError;
use crate::formats::{MAX_FRAMES, MAX_PIXELS};

/// Bytes of the longer header, NIfTI-2's.
pub(super) const HEAD: usize = 540;
/// Bytes of NIfTI-1's.
const HEAD_1: usize = 348;

/// Whether a file starts as a volume does, or as the header of one in two files.
pub(crate) fn is_nifti(bytes: &[u8]) -> bool {
    Layout::from_bytes(bytes).is_some()
}

/// How the voxels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    U8,
    I8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Number {
    /// By the header's `datatype`.
    fn from_code(code: i64) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            _ => return None,
        })
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    pub(super) fn signed(self) -> bool {
        !matches!(self, Self::U8 | Self::U16 | Self::U32)
    }
}

/// What is used of a header, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    /// Voxels along the three axes of the file, the first fastest.
    pub(super) size: [usize; 3],
    pub(super) number: Number,
    pub(super) big_endian: bool,
    /// Where the voxels begin.
    pub(super) offset: usize,
    /// HU are `slope × voxel + intercept`.
    pub(super) slope: f64,
    pub(super) intercept: f64,
    /// Patient coordinates (DICOM's: left, back, head; mm) of a voxel: three rows of three factors
    /// of its indices and what is added.
    pub(super) patient_from_voxel: [[f64; 4]; 3],
}

impl Header {
    /// Reads the header of a volume of `bytes`, which must hold all of its voxels.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let layout = Layout::from_bytes(bytes).ok_or_else(|| volume("no header"))?;
        if layout.pair {
            return Err(volume(
                "header and voxels are in two files; convert them to one, a .nii or .nii.gz",
            ));
        }
        let cut_off = || ReadError::Truncated { inside: "the header of a NIfTI volume" };
        let fields = Fields { bytes: bytes.get(..layout.length()).ok_or_else(cut_off)?, layout };
        let size = size(&fields)?;
        let code = fields.whole(70, 2, 12, 2);
        let number = Number::from_code(code).ok_or_else(|| {
            volume(format!(
                "its numbers are of type {code}; expected integers of up to 32 bits (2, 4, 8, 256, \
                 512, 768), or real ones (16, 64)"
            ))
        })?;
        let bits = fields.whole(72, 2, 14, 2);
        if bits != number.bytes() as i64 * 8 {
            let found = format!("{bits} bits a voxel, type {code} has {}", number.bytes() * 8);
            return Err(volume(found));
        }
        let (slope, intercept) = scale(&fields)?;
        let header = Self {
            size,
            number,
            big_endian: layout.big_endian,
            offset: offset(&fields)?,
            slope,
            intercept,
            patient_from_voxel: patient_from_voxel(&fields)?,
        };
        // The factors are bounded: 8192², 16384 and 8.
        let expected = size.iter().product::<usize>() * number.bytes();
        let found = bytes.len().saturating_sub(header.offset);
        if found < expected {
            let (expected, found) = (expected as u64, found as u64);
            return Err(ReadError::PixelsCutOff { expected, found });
        }
        Ok(header)
    }
}

/// An error that says what is wrong with a volume.
pub(super) fn volume(reason: impl Into<String>) -> ReadError {
    ReadError::Volume { format: "NIfTI", reason: reason.into() }
}

/// Which of the two headers it is, and its byte order.
#[derive(Debug, Clone, Copy)]
struct Layout {
    second: bool,
    big_endian: bool,
    /// Whether the voxels are in a file of their own.
    pair: bool,
}

impl Layout {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let length = *bytes.first_chunk::<4>()?;
        let orders = [(false, u32::from_le_bytes(length)), (true, u32::from_be_bytes(length))];
        let (big_endian, length) =
            orders.into_iter().find(|(_, length)| matches!(*length as usize, HEAD_1 | HEAD))?;
        let second = length as usize == HEAD;
        let magic = bytes.get(if second { 4..8 } else { 344..348 })?;
        let pair = match (second, magic) {
            (false, b"n+1\0") | (true, b"n+2\0") => false,
            (false, b"ni1\0") | (true, b"ni2\0") => true,
            _ => return None,
        };
        Some(Self { second, big_endian, pair })
    }

    fn length(self) -> usize {
        if self.second { HEAD } else { HEAD_1 }
    }
}

/// The fields of a whole header; each has a place and a width in NIfTI-1 and in NIfTI-2.
struct Fields<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

impl Fields<'_> {
    /// The bytes of a field, the lowest first.
    fn raw(&self, place: usize, width: usize) -> [u8; 8] {
        let mut value = [0; 8];
        value[..width].copy_from_slice(&self.bytes[place..place + width]);
        if self.layout.big_endian {
            value[..width].reverse();
        }
        value
    }

    fn whole(&self, first: usize, first_width: usize, second: usize, second_width: usize) -> i64 {
        let (place, width) =
            if self.layout.second { (second, second_width) } else { (first, first_width) };
        let unused = 64 - 8 * width as u32;
        (i64::from_le_bytes(self.raw(place, width)) << unused) >> unused
    }

    /// A real number, of 32 bits in NIfTI-1 and of 64 in NIfTI-2.
    fn real(&self, first: usize, second: usize) -> f64 {
        if self.layout.second {
            f64::from_le_bytes(self.raw(second, 8))
        } else {
            let [a, b, c, d, ..] = self.raw(first, 4);
            f32::from_le_bytes([a, b, c, d]).into()
        }
    }
}

/// Voxels along the three axes.
fn size(fields: &Fields<'_>) -> Result<[usize; 3], ReadError> {
    let dim = |index: usize| fields.whole(40 + 2 * index, 2, 16 + 8 * index, 8);
    let axes = dim(0);
    if !(2..=7).contains(&axes) {
        return Err(volume(format!("it has {axes} axes; expected 3")));
    }
    let along = |axis: usize| if axis as i64 <= axes { dim(axis) } else { 1 };
    if (4..=7).any(|axis| along(axis) != 1) {
        let sizes: Vec<String> = (1..=axes as usize).map(|axis| dim(axis).to_string()).collect();
        let sizes = sizes.join(" × ");
        return Err(volume(format!("it holds several volumes ({sizes}); give one in a file")));
    }
    let size = [1, 2, 3].map(|axis| usize::try_from(along(axis)).unwrap_or(0));
    let pixels = size[0].checked_mul(size[1]).filter(|pixels| (1..=MAX_PIXELS).contains(pixels));
    if pixels.is_none() || !(1..=MAX_FRAMES).contains(&size[2]) {
        let [a, b, c] = [1, 2, 3].map(along);
        return Err(volume(format!(
            "{a} × {b} × {c} voxels; expected at least one, at most 8192 × 8192 in {MAX_FRAMES} \
             slices"
        )));
    }
    Ok(size)
}

fn offset(fields: &Fields<'_>) -> Result<usize, ReadError> {
    let offset = match fields.layout.second {
        true => fields.whole(0, 0, 168, 8) as f64,
        false => fields.real(108, 0),
    };
    // Beyond any file that is read; a NaN is in no range.
    if !(fields.layout.length() as f64..1e12).contains(&offset) {
        return Err(volume(format!(
            "the voxels begin at byte {offset}; expected after the header"
        )));
    }
    Ok(offset as usize)
}

fn scale(fields: &Fields<'_>) -> Result<(f64, f64), ReadError> {
    let (slope, intercept) = (fields.real(112, 176), fields.real(116, 184));
    // “If the scl_slope field is zero, then this field is ignored”; writers put NaN too.
    if slope == 0.0 || slope.is_nan() {
        return Ok((1.0, 0.0));
    }
    // Beyond this, HU would not be finite in 32 bits.
    const LIMIT: f64 = 1e9;
    if slope.abs() > LIMIT || !(-LIMIT..=LIMIT).contains(&intercept) {
        return Err(volume(format!(
            "scl_slope is {slope}, scl_inter {intercept}; no HU come of it"
        )));
    }
    Ok((slope, intercept))
}

/// From `sform`, or else from `qform`; a volume without either says not which way it lies.
fn patient_from_voxel(fields: &Fields<'_>) -> Result<[[f64; 4]; 3], ReadError> {
    let (q, s) = (fields.whole(252, 2, 344, 4), fields.whole(254, 2, 348, 4));
    let mut matrix = match (q > 0, s > 0) {
        (_, true) => sform(fields),
        (true, false) => qform(fields),
        (false, false) => {
            return Err(volume(
                "neither sform_code nor qform_code says how it lies in the patient; set one of \
                 them",
            ));
        }
    };
    // Spatial units: metres, millimetres, micrometres; unknown ones are millimetres in practice.
    let millimetres = match fields.whole(123, 1, 500, 4) & 7 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    };
    // NIfTI counts to the right and to the front, DICOM to the left and to the back.
    for (row, sign) in matrix.iter_mut().zip([-1.0, -1.0, 1.0]) {
        row.iter_mut().for_each(|value| *value *= sign * millimetres);
    }
    // A kilometre of distance between voxels: positions within it are exact and finite.
    let bounded = |value: &f64| (-1e6..=1e6).contains(value);
    match matrix.iter().flatten().all(bounded) {
        true => Ok(matrix),
        false => Err(volume("its place in the patient is not finite, or kilometres away")),
    }
}

fn sform(fields: &Fields<'_>) -> [[f64; 4]; 3] {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            fields.real(280 + 16 * row + 4 * column, 400 + 32 * row + 8 * column)
        })
    })
}

/// “Method 2” of nifti1.h: a unit quaternion, the voxels' sizes and an offset.
fn qform(fields: &Fields<'_>) -> [[f64; 4]; 3] {
    let real = |index: usize| fields.real(256 + 4 * index, 352 + 8 * index);
    let pixdim = |index: usize| fields.real(76 + 4 * index, 104 + 8 * index);
    let [b, c, d] = [0, 1, 2].map(real);
    let rest = 1.0 - (b * b + c * c + d * d);
    // Rounding may leave a little less than nothing for the first component.
    let (a, norm) = match rest > 1e-7 {
        true => (rest.sqrt(), 1.0),
        false => (0.0, (b * b + c * c + d * d).sqrt()),
    };
    let [b, c, d] = [b, c, d].map(|value| value / norm);
    let rotation = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    let handed = if pixdim(0) < 0.0 { -1.0 } else { 1.0 };
    let sizes = [pixdim(1), pixdim(2), pixdim(3) * handed];
    std::array::from_fn(|row| {
        std::array::from_fn(|column| match column {
            3 => real(3 + row),
            _ => rotation[row][column] * sizes[column],
        })
    })
}
