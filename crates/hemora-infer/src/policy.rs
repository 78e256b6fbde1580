//! Which series of a study are scored.

use hemora_io::{Series, SeriesChoice, Study, choose_series};

/// Which series of a study are scored; localizers and series that are not axial never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeriesPolicy {
    /// The one that [`choose_series`] chooses, with those that show other levels of the same head.
    #[default]
    Chosen,
    /// Every axial series; the study has the probabilities of the most suspicious one, or of the
    /// head that several series show at different levels.
    AllAxial,
}

impl SeriesPolicy {
    /// What becomes of each series of a study.
    pub(crate) fn fates(self, study: &Study) -> Vec<Fate> {
        let fate = |(series, choice): (&Series, SeriesChoice)| match (&choice, self) {
            (SeriesChoice::Chosen, _) => Fate::Head(None),
            (SeriesChoice::Complement { .. }, _) => Fate::Head(Some(choice.to_string())),
            (SeriesChoice::PassedOver { .. }, SeriesPolicy::AllAxial) => Fate::Beside,
            (SeriesChoice::PassedOver { .. }, SeriesPolicy::Chosen) => {
                Fate::LeftOut { reason: choice.to_string(), levels: series.levels() }
            }
            _ => Fate::LeftOut { reason: choice.to_string(), levels: None },
        };
        study.series.iter().zip(choose_series(&study.series)).map(fate).collect()
    }
}

/// What becomes of a series.
pub(crate) enum Fate {
    /// It is scored as a part of the head; why, where it is not the chosen series.
    Head(Option<String>),
    /// It is scored beside those that show the head.
    Beside,
    /// It is not scored.
    LeftOut {
        reason: String,
        /// Where it lies, mm, if that helps a reader.
        levels: Option<[f64; 2]>,
    },
}

impl Fate {
    pub(crate) fn is_scored(&self) -> bool {
        !matches!(self, Self::LeftOut { .. })
    }
}
