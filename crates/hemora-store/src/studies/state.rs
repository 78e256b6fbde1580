//! The words of the list: what state a study is in, and what its result says.

/// What state a study is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StudyState {
    /// It has instances that no settled revision includes.
    Receiving,
    /// Its newest revision waits to be scored.
    Queued,
    /// It is being scored.
    Scoring,
    /// Scoring failed for good; it can be run again.
    Failed,
    /// It was looked at and not scored, with a reason; nothing is left to deliver.
    NotScored,
    /// It is scored and goes nowhere.
    Scored,
    /// Results are on their way.
    Delivering,
    /// A delivery failed; it is tried again, or given up until somebody sends it again.
    DeliveryFailed,
    /// Every delivery is acknowledged.
    Delivered,
}

/// What a result says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Hemorrhage above the threshold.
    Positive,
    /// Within the band of doubt.
    NotSure,
    /// Below.
    Negative,
    /// Not scored, for a reason.
    NotScored,
}

impl Class {
    /// How urgently it wants to be read: a revision whose class rises is unread again and alerts people,
    /// another does not, so that late images do not alarm twice.
    pub fn urgency(self) -> u8 {
        match self {
            Self::Positive => 2,
            Self::NotSure => 1,
            Self::Negative | Self::NotScored => 0,
        }
    }
}

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As the database and the API spell it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// From the spelling of the database and the API.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word)
            }

            /// From a column.
            pub(crate) fn stored(word: &str) -> Result<Self, crate::StoreError> {
                Self::from_word(word).ok_or_else(|| {
                    crate::StoreError::Damaged(format!(concat!("{:?} is no ", $what), word))
                })
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! { StudyState, "state of a study",
    Receiving = "receiving",
    Queued = "queued",
    Scoring = "scoring",
    Failed = "failed",
    NotScored = "not scored",
    Scored = "scored",
    Delivering = "delivering",
    DeliveryFailed = "delivery failed",
    Delivered = "delivered",
}

words! { Class, "class of a result",
    Positive = "positive",
    NotSure = "not sure",
    Negative = "negative",
    NotScored = "not scored",
}
