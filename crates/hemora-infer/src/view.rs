//! One slice by itself: its probabilities, and where the networks see a label and the leading subtype.

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Plane};

use crate::LoadedModel;

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
        let look = self.look(&Label::ALL, input)?;
        let probability = |label: &Label| look.probabilities[label.index()];
        let leading =
            Label::SUBTYPES.into_iter().max_by(|a, b| probability(a).total_cmp(&probability(b)));
        let mut labels = vec![label];
        labels.extend(leading.filter(|leading| *leading != label));
        let map = |label: Label| Some((label, look.maps[label.index()].as_ref()?.plane.clone()));
        Some((look.probabilities, labels.into_iter().filter_map(map).collect()))
    }
}
