//! One slice by itself: its probabilities, and where the networks see a label and the leading subtype.

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Plane, Probabilities};
use hemora_model::ActivationMap;

use crate::{LoadedModel, Look};

/// The probabilities of a slice in label order, and maps (0–1) of where a network sees a label.
pub type SliceView = ([f64; LABEL_COUNT], Vec<(Label, Plane)>);

impl LoadedModel {
    /// The six probabilities of a slice by itself, and the activation maps (0–1) of `label` and of the
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
        let map = |(label, map): (Label, Option<ActivationMap>)| Some((label, map?.plane));
        Some((probabilities, maps.into_iter().filter_map(map).collect()))
    }
}
