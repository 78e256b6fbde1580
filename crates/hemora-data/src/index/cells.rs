//! The cells of an index' rows, and what takes them one after the other.

/// What a column holds; every column may have gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Whole,
    Real,
    /// A real number of 32 bits.
    Single,
    Bool,
}

/// One value of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(Option<String>),
    Whole(Option<i64>),
    Real(Option<f64>),
    Bool(Option<bool>),
}

/// Takes cells one after the other, each of the kind that is expected.
pub(super) struct Cells<I>(pub(super) I);

const WRONG_KIND: &str = "a column has values of another kind than an index has";

impl<I: Iterator<Item = Cell>> Cells<I> {
    pub(super) fn text(&mut self) -> Result<Option<String>, String> {
        match self.0.next() {
            Some(Cell::Text(value)) => Ok(value),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }

    pub(super) fn whole(&mut self) -> Result<Option<i64>, String> {
        match self.0.next() {
            Some(Cell::Whole(value)) => Ok(value),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }

    pub(super) fn real(&mut self) -> Result<Option<f64>, String> {
        match self.0.next() {
            Some(Cell::Real(value)) => Ok(value.filter(|value| value.is_finite())),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }

    pub(super) fn bool(&mut self) -> Result<Option<bool>, String> {
        match self.0.next() {
            Some(Cell::Bool(value)) => Ok(value),
            _ => Err(WRONG_KIND.to_owned()),
        }
    }
}
