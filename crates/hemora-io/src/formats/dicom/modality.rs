//! The modality LUT (PS3.3 C.11.1): a line or a table from stored values to HU.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use crate::{ReadError, StoredFormat};

/// How stored values become HU.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ModalityTransform {
    /// The file says nothing: stored values are HU.
    None,
    /// RescaleSlope and RescaleIntercept.
    Linear { slope: f64, intercept: f64 },
    /// ModalityLUTSequence: HU of the stored values from `first` on.
    Table { first: i64, hu: Vec<u16> },
}

impl ModalityTransform {
    /// Slope and intercept of a line; of a table, those of no change.
    pub(crate) fn rescale(&self) -> (f64, f64) {
        match *self {
            Self::Linear { slope, intercept } => (slope, intercept),
            Self::None | Self::Table { .. } => (1.0, 0.0),
        }
    }

    /// Whether this is the wrong intercept of the competition's 12-bit files: so high that air
    /// would have no value. Their pixels are wrapped at 4096
    /// (docs/references.md#slice-preparation).
    pub(crate) fn intercept_is_wrong(&self, stored: StoredFormat) -> bool {
        let twelve = stored.bits_stored == 12 && !stored.signed;
        twelve && matches!(*self, Self::Linear { slope: 1.0, intercept } if intercept > -100.0)
    }

    /// HU of stored values of at most 16 bits, the same as [`ModalityTransform::hu`] gives.
    #[inline(always)]
    pub(crate) fn map_words(&self, stored: &[i32], hu: &mut [f32]) {
        let pairs = hu.iter_mut().zip(stored);
        match *self {
            Self::Linear { slope, intercept } if is_exact(slope, intercept) => {
                let (slope, intercept) = (slope as f32, intercept as f32);
                pairs.for_each(
                    #[inline(always)]
                    |(hu, &value)| *hu = value as f32 * slope + intercept,
                );
            }
            Self::Linear { slope, intercept } => pairs.for_each(
                #[inline(always)]
                |(hu, &value)| *hu = (f64::from(value) * slope + intercept) as f32,
            ),
            Self::None | Self::Table { .. } => {
                pairs.for_each(|(hu, &value)| *hu = self.hu(value.into()));
            }
        }
    }

    /// HU of a stored value, which is a whole number of at most 32 bits.
    pub(crate) fn hu(&self, stored: f64) -> f32 {
        match self {
            Self::None => stored as f32,
            Self::Linear { slope, intercept } => (stored * slope + intercept) as f32,
            Self::Table { first, hu } => {
                let last = hu.len() as i64 - 1;
                f32::from(hu[(stored as i64 - first).clamp(0, last) as usize])
            }
        }
    }
}

/// Whether a line from 16-bit numbers gives whole numbers below 2²⁴, which single precision holds
/// exactly: most lines do, and it takes half the time.
fn is_exact(slope: f64, intercept: f64) -> bool {
    let whole = slope.fract() == 0.0 && intercept.fract() == 0.0;
    whole && slope.abs() * 65536.0 + intercept.abs() < f64::from(1 << 24)
}

/// The table if the file has one, or else the line, whose slope is 1 where it is absent; without
/// either, stored values are HU.
pub(crate) fn modality_transform(
    attributes: &Attributes<'_>,
    stored: StoredFormat,
) -> Result<ModalityTransform, ReadError> {
    match attributes.items(tags::MODALITY_LUT_SEQUENCE, 1).as_deref() {
        Ok([item, ..]) => {
            check_unit(item, tags::MODALITY_LUT_TYPE, "ModalityLUTType")?;
            table(item, stored.signed)
        }
        Ok([]) => {
            check_unit(attributes, tags::RESCALE_TYPE, "RescaleType")?;
            line(attributes)
        }
        Err(_) => Err(ReadError::Truncated { inside: "the modality table" }),
    }
}

/// What the values are once they are transformed: HU, where the file says it (PS3.3 C.11.1.1.2).
/// Electron densities, effective atomic numbers and the like are no HU, whatever their range. `US`
/// leaves it unspecified, as does a file without the attribute: of a CT image HU are then expected.
fn check_unit(
    attributes: &Attributes<'_>,
    tag: Tag,
    attribute: &'static str,
) -> Result<(), ReadError> {
    match attributes.text(tag) {
        Some(unit) if !["HU", "US"].iter().any(|known| unit.eq_ignore_ascii_case(known)) => {
            Err(ReadError::BadAttribute {
                attribute,
                found: format!("{unit:?}"),
                expected: "HU: the values of the image are no Hounsfield units; export a series in HU",
            })
        }
        _ => Ok(()),
    }
}

/// Whether RescaleType declares that the unit is unspecified. DCMTK does where it scaled an image to 12
/// bits for a lossy encoding: then an intercept of 0 is no mistake.
pub(crate) fn unit_is_unspecified(attributes: &Attributes<'_>) -> bool {
    attributes.text(tags::RESCALE_TYPE).is_some_and(|unit| unit.eq_ignore_ascii_case("US"))
}

fn line(attributes: &Attributes<'_>) -> Result<ModalityTransform, ReadError> {
    let slope = attributes.first_decimal(tags::RESCALE_SLOPE, "RescaleSlope")?;
    let intercept = attributes.first_decimal(tags::RESCALE_INTERCEPT, "RescaleIntercept")?;
    let Some(intercept) = intercept else {
        return match slope {
            None | Some(1.0) => Ok(ModalityTransform::None),
            // HU are not known without it, and what is stored is none.
            Some(_) => Err(ReadError::MissingAttribute("RescaleIntercept (beside a RescaleSlope)")),
        };
    };
    let slope = slope.unwrap_or(1.0);
    let bad = |attribute, found: f64, expected| {
        Err(ReadError::BadAttribute { attribute, found: found.to_string(), expected })
    };
    // Beyond this, HU would not be finite in 32 bits.
    const LIMIT: f64 = 1e9;
    if slope == 0.0 || slope.abs() > LIMIT {
        return bad("RescaleSlope", slope, "a number other than 0, below 10⁹");
    }
    if intercept.abs() > LIMIT {
        return bad("RescaleIntercept", intercept, "a number of HU below 10⁹");
    }
    Ok(ModalityTransform::Linear { slope, intercept })
}

fn table(item: &Attributes<'_>, signed: bool) -> Result<ModalityTransform, ReadError> {
    let descriptor = item.words(tags::LUT_DESCRIPTOR).unwrap_or_default();
    let &[entries, first, bits] = descriptor.as_slice() else {
        return Err(ReadError::MissingAttribute("LUTDescriptor of the modality table"));
    };
    if !matches!(bits, 8..=16) {
        return Err(ReadError::BadAttribute {
            attribute: "bits of the modality table",
            found: bits.to_string(),
            expected: "8 to 16",
        });
    }
    // 0 stands for 65536, which 16 bits do not hold.
    let entries = if entries == 0 { 1 << 16 } else { usize::from(entries) };
    let mut hu = item.words(tags::LUT_DATA).unwrap_or_default();
    if hu.len() < entries {
        return Err(ReadError::BadAttribute {
            attribute: "LUTData of the modality table",
            found: format!("{} entries", hu.len()),
            expected: "as many entries as LUTDescriptor says",
        });
    }
    hu.truncate(entries);
    // The first mapped value has the sign of the pixels.
    let first = if signed { i64::from(first as i16) } else { i64::from(first) };
    Ok(ModalityTransform::Table { first, hu })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(transform: &ModalityTransform, stored: &[i32]) -> Vec<f32> {
        let mut hu = vec![0.0; stored.len()];
        transform.map_words(stored, &mut hu);
        hu
    }

    #[test]
    fn a_table_holds_its_ends() {
        let table = ModalityTransform::Table { first: -1, hu: vec![10, 20, 40] };
        let hu = [-5.0, -1.0, 0.0, 1.0, 9.0].map(|stored| table.hu(stored));
        assert_eq!(hu, [10.0, 10.0, 20.0, 40.0, 40.0]);
    }

    #[test]
    fn short_numbers_give_the_same_as_long_ones() {
        for (slope, intercept) in
            [(1.0, -1024.0), (2.0, 0.0), (0.1, -1000.5), (255.0, 65000.0), (-3.0, 1e8), (1e5, 7.0)]
        {
            let transform = ModalityTransform::Linear { slope, intercept };
            let values: Vec<i32> = (-32768..=65535).step_by(7).collect();
            let long: Vec<f32> = values.iter().map(|&value| transform.hu(value.into())).collect();
            assert_eq!(mapped(&transform, &values), long);
        }
        let table = ModalityTransform::Table { first: 5, hu: vec![1, 2, 3] };
        assert_eq!(mapped(&table, &[0, 6, 70]), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn slopes_that_make_no_hu_are_refused() {
        for slope in [&b"0"[..], b"NaN", b"inf", b"1e300", b"x"] {
            let mut attributes =
                Attributes::new(crate::formats::dicom::dataset::Encoding::ImplicitLittle);
            attributes.insert(tags::RESCALE_SLOPE, slope);
            attributes.insert(tags::RESCALE_INTERCEPT, b"-1024");
            assert!(line(&attributes).is_err(), "{}", String::from_utf8_lossy(slope));
        }
    }
}
