//! Which columns a field of a row takes, by its type, and how it stands in them.

use hemora_ct::{Fingerprint, LABEL_COUNT};

use super::cells::{Cell, Cells, Kind};

/// A field of a row: one cell, or several of one kind.
pub(super) trait Field: Sized {
    /// Kind of its columns.
    const KIND: Kind;

    /// Appends its cells. Of an image that cannot be used, real numbers and truth values that every
    /// usable one has are left empty; whole numbers stand as they are.
    fn write(&self, usable: bool, cells: &mut Vec<Cell>);

    /// Takes its cells.
    ///
    /// # Errors
    /// What a cell holds instead of a value.
    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String>;
}

/// An empty text stands for one that is absent.
impl Field for String {
    const KIND: Kind = Kind::Text;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Text((!self.is_empty()).then(|| self.clone())));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        Ok(cells.text()?.unwrap_or_default())
    }
}

impl Field for Option<String> {
    const KIND: Kind = Kind::Text;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Text(self.clone()));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        cells.text()
    }
}

/// With semicolons between them.
impl Field for Vec<String> {
    const KIND: Kind = Kind::Text;

    fn write(&self, usable: bool, cells: &mut Vec<Cell>) {
        self.join(";").write(usable, cells);
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        let texts = cells.text()?.map(|texts| texts.split(';').map(str::to_owned).collect());
        Ok(texts.unwrap_or_default())
    }
}

/// Hexadecimal.
impl Field for Option<Fingerprint> {
    const KIND: Kind = Kind::Text;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Text(self.map(|fingerprint| fingerprint.to_string())));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        cells.text()?.map(|digits| digits.parse()).transpose()
    }
}

impl Field for u64 {
    const KIND: Kind = Kind::Whole;

    fn write(&self, usable: bool, cells: &mut Vec<Cell>) {
        Some(*self).write(usable, cells);
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        Ok(Option::<u64>::read(cells)?.unwrap_or_default())
    }
}

impl Field for Option<u64> {
    const KIND: Kind = Kind::Whole;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Whole(self.and_then(|value| i64::try_from(value).ok())));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        let count = |value: i64| {
            let wrong = |_| format!("a count is {value}; expected 0 or more");
            u64::try_from(value).map_err(wrong)
        };
        cells.whole()?.map(count).transpose()
    }
}

impl Field for i64 {
    const KIND: Kind = Kind::Whole;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Whole(Some(*self)));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        Ok(cells.whole()?.unwrap_or_default())
    }
}

impl Field for Option<i64> {
    const KIND: Kind = Kind::Whole;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Whole(*self));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        cells.whole()
    }
}

impl Field for f64 {
    const KIND: Kind = Kind::Real;

    fn write(&self, usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Real(usable.then_some(*self)));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        Ok(cells.real()?.unwrap_or_default())
    }
}

impl Field for Option<f64> {
    const KIND: Kind = Kind::Real;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Real(*self));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        cells.real()
    }
}

/// Both or neither.
impl Field for Option<[f64; 2]> {
    const KIND: Kind = Kind::Real;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        let values = self.map_or([None; 2], |pair| pair.map(Some));
        cells.extend(values.map(Cell::Real));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        let (first, second) = (cells.real()?, cells.real()?);
        Ok(first.zip(second).map(|(first, second)| [first, second]))
    }
}

impl Field for bool {
    const KIND: Kind = Kind::Bool;

    fn write(&self, usable: bool, cells: &mut Vec<Cell>) {
        cells.push(Cell::Bool(usable.then_some(*self)));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        Ok(cells.bool()?.unwrap_or_default())
    }
}

/// In label order; all or none.
impl Field for Option<[bool; LABEL_COUNT]> {
    const KIND: Kind = Kind::Bool;

    fn write(&self, _usable: bool, cells: &mut Vec<Cell>) {
        let values = self.map_or([None; LABEL_COUNT], |labels| labels.map(Some));
        cells.extend(values.map(Cell::Bool));
    }

    fn read<I: Iterator<Item = Cell>>(cells: &mut Cells<I>) -> Result<Self, String> {
        let mut values = [None; LABEL_COUNT];
        for value in &mut values {
            *value = cells.bool()?;
        }
        let all = values.iter().all(Option::is_some);
        Ok(all.then(|| values.map(Option::unwrap_or_default)))
    }
}
