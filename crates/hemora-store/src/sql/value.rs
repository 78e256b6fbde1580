//! What statements are given.

/// What a value is, whether or not there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 64 bits, signed.
    Integer,
    /// IEEE double.
    Real,
    /// UTF-8.
    Text,
    /// Bytes.
    Blob,
}

/// A value of a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'v> {
    /// None, of what would be of this kind: PostgreSQL has to know.
    Null(Kind),
    Integer(i64),
    Real(f64),
    Text(&'v str),
    Blob(&'v [u8]),
}

impl Value<'_> {
    /// What it is.
    #[cfg(feature = "postgres")]
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
            Self::Blob(_) => Kind::Blob,
        }
    }
}

/// What a statement can be given.
pub(crate) trait Parameter {
    /// As the database takes it.
    fn value(&self) -> Value<'_>;

    /// What the database takes where there is none.
    fn none() -> Value<'static>
    where
        Self: Sized;
}

macro_rules! parameter {
    ($($type:ty, $kind:ident, |$it:ident| $value:expr;)+) => {$(
        impl Parameter for $type {
            fn value(&self) -> Value<'_> {
                let $it = self;
                Value::$kind($value)
            }

            fn none() -> Value<'static> {
                Value::Null(Kind::$kind)
            }
        }
    )+};
}

parameter! {
    i64, Integer, |it| *it;
    u32, Integer, |it| i64::from(*it);
    bool, Integer, |it| i64::from(*it);
    f64, Real, |it| *it;
    &str, Text, |it| it;
    String, Text, |it| it;
    Vec<u8>, Blob, |it| it;
    [u8; 32], Blob, |it| it;
}

impl<T: Parameter> Parameter for &T {
    fn value(&self) -> Value<'_> {
        (*self).value()
    }

    fn none() -> Value<'static> {
        T::none()
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn value(&self) -> Value<'_> {
        match self {
            Some(parameter) => parameter.value(),
            None => T::none(),
        }
    }

    fn none() -> Value<'static> {
        T::none()
    }
}

/// Parameters of several types, in the order of their numbers.
macro_rules! params {
    ($($parameter:expr),* $(,)?) => {
        &[$(&$parameter as &dyn $crate::sql::Parameter),*] as &[&dyn $crate::sql::Parameter]
    };
}
pub(crate) use params;
