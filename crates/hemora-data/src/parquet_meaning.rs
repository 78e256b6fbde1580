//! What the values of a Parquet file's column stand for, and their texts.

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

use crate::index::Cell;

/// What the values of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Themselves.
    Value,
    /// Whole numbers without a sign, of 32 or 64 bits.
    Unsigned,
    /// Two bytes, an IEEE 754 number.
    Half,
    /// Units of which 10 to this power make one.
    Decimal(usize),
}

/// Most digits behind the point of a decimal number: those of 256 bits.
const MAX_SCALE: i32 = 76;
/// Most bytes of a number: 256 bits.
const LONGEST_NUMBER: usize = 32;

impl Meaning {
    /// What a column's values stand for; an error is what it holds instead of a value a row.
    pub(crate) fn of(column: &ColumnDescriptor) -> Result<Self, String> {
        let kind = column.physical_type();
        if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
            return Err("lists or structures".to_owned());
        }
        let is_decimal = matches!(column.logical_type_ref(), Some(LogicalType::Decimal { .. }))
            || column.converted_type() == ConvertedType::DECIMAL;
        if is_decimal {
            let scale = column.type_scale();
            return match usize::try_from(scale) {
                Ok(digits) if scale <= MAX_SCALE => Ok(Self::Decimal(digits)),
                _ => Err(format!("decimal numbers of scale {scale}")),
            };
        }
        let unsigned = matches!(
            column.converted_type(),
            ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
        );
        match (kind, column.logical_type_ref()) {
            (Physical::INT32 | Physical::INT64, _) if unsigned => Ok(Self::Unsigned),
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16)) => Ok(Self::Half),
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(other)) => Err(format!("{other:?} values")),
            (Physical::FIXED_LEN_BYTE_ARRAY | Physical::INT96, _) => Err(format!("{kind} values")),
            _ => Ok(Self::Value),
        }
    }

    /// The text of a number that stands as bytes.
    pub(crate) fn of_bytes(self, bytes: Option<&[u8]>) -> Result<String, ParquetError> {
        let Some(bytes) = bytes else { return Ok(String::new()) };
        match self {
            _ if bytes.len() > LONGEST_NUMBER => {
                Err(ParquetError::General(format!("a number of {} bytes", bytes.len())))
            }
            Self::Decimal(scale) => Ok(decimal(bytes, scale)),
            _ => Ok(match bytes.first_chunk::<2>() {
                Some(bytes) => f16::from_le_bytes(*bytes).to_f64().to_string(),
                None => String::new(),
            }),
        }
    }

    /// The text of a value of any other kind.
    pub(crate) fn of_cell(self, cell: Cell) -> String {
        match (self, cell) {
            (Self::Decimal(scale), Cell::Whole(Some(units))) => {
                decimal(&units.to_be_bytes(), scale)
            }
            (Self::Unsigned, Cell::Whole(Some(value))) => value.cast_unsigned().to_string(),
            (_, cell) => field(cell),
        }
    }
}

/// A decimal number of `scale` digits behind the point from its units, two's complement, most
/// significant byte first.
fn decimal(units: &[u8], scale: usize) -> String {
    let negative = units.first().is_some_and(|byte| byte & 0x80 != 0);
    // Magnitude, and then its decimal digits, lowest first: each division takes one.
    let mut magnitude = units.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (value, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (value, over);
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte > 0) || digits.len() <= scale {
        let mut rest = 0u16;
        for byte in &mut magnitude {
            let value = rest << 8 | u16::from(*byte);
            (*byte, rest) = ((value / 10) as u8, value % 10);
        }
        digits.push(char::from(b'0' + rest as u8));
    }
    let (fraction, whole) = digits.split_at(scale);
    let sign = if negative { "-" } else { "" };
    let whole: String = whole.iter().rev().collect();
    let fraction: String = fraction.iter().rev().collect();
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

fn field(cell: Cell) -> String {
    match cell {
        Cell::Text(value) => value.unwrap_or_default(),
        Cell::Whole(value) => value.map_or_else(String::new, |value| value.to_string()),
        Cell::Real(value) => value.map_or_else(String::new, |value| value.to_string()),
        Cell::Bool(value) => value.map_or_else(String::new, |value| u8::from(value).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_are_written_out() {
        for (units, scale, text) in [
            (1234i64, 4, "0.1234"),
            (-1, 3, "-0.001"),
            (100, 2, "1"),
            (0, 0, "0"),
            (i64::MIN, 18, "-9.223372036854775808"),
            (250, 0, "250"),
        ] {
            assert_eq!(decimal(&units.to_be_bytes(), scale), text);
        }
        assert_eq!(decimal(&[0xff, 0x38], 1), "-20");
        assert_eq!(decimal(&[], 2), "0");
    }
}
