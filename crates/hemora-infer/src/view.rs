//! One slice by itself: its probabilities, and where the networks see a label and the leading subtype.

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Probabilities};
use hemora_model::LabelMap;

use crate::{LoadedModel, Look};

/// The probabilities of a slice in label order, and maps of where a network sees some labels.
pub type SliceView = ([f64; LABEL_COUNT], Vec<LabelMap>);

impl LoadedModel {
    /// The six probabilities of a slice by itself, and the maps of `label` and of the
    /// subtype with the highest probability. `input` makes the image of a recipe. `None` if a network
    /// gives nothing, or reads neighbours: a map of another input would mislead.
    pub fn view_slice(
        &self,
        label: Label,
        input: &dyn Fn(&InputRecipe) -> Option<Vec<f32>>,
    ) -> Option<SliceView> {
        if self.reach() > 0 {
            return None;
        }
        let labels = |probabilities: Probabilities| {
            let leading = probabilities.leading_subtype();
            if leading == label { vec![label] } else { vec![label, leading] }
        };
        let Look { probabilities, maps } = self.look(&labels, input)?;
        Some((probabilities, maps.into_iter().filter_map(|(_, map)| map).collect()))
    }
}
