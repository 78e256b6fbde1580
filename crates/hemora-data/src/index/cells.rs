//! The cells of an index' rows, and what takes them one after the other.

/// What a column holds; every column may have gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A whole number of 64 bits.
    Whole,
    /// A real number of 64 bits.
    Real,
    /// A real number of 32 bits.
    Single,
    /// A truth value.
    Bool,
}

/// One value of a column; `None` where it has a gap.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Of [`Kind::Text`].
    Text(Option<String>),
    /// Of [`Kind::Whole`].
    Whole(Option<i64>),
    /// Of [`Kind::Real`] and [`Kind::Single`].
    Real(Option<f64>),
    /// Of [`Kind::Bool`].
    Bool(Option<bool>),
}

impl Cell {
    /// Whether it can stand in a column of this kind.
    pub(crate) fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Text(_), Kind::Text)
                | (Self::Whole(_), Kind::Whole)
                | (Self::Real(_), Kind::Real | Kind::Single)
                | (Self::Bool(_), Kind::Bool)
        )
    }
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
