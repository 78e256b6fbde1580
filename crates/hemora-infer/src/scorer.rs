//! One network of single slices at work: what it says of an input, over all views.

use std::borrow::Cow;

use hemora_ct::{InputRecipe, LABEL_COUNT, Probabilities, View, Views};

use crate::{Engine, FeatureMap};

/// One network of single slices at work.
pub(crate) struct Scorer<'a> {
    pub engine: &'a dyn Engine,
    pub recipe: &'a InputRecipe,
    /// The views whose mean is taken.
    pub views: Views,
    /// Whether its pooled features are wanted.
    pub with_features: bool,
    /// Its weight among all networks, for each label.
    pub weights: [f64; LABEL_COUNT],
}

/// What a network says of an input.
pub(crate) struct Said {
    pub probabilities: Probabilities,
    /// Its pooled features, if they are wanted.
    pub features: Option<Vec<f32>>,
    /// Where it sees each label, `[6, rows, columns]`, if it has a dense head.
    pub maps: Option<FeatureMap>,
}

impl Scorer<'_> {
    /// The mean of what the engine says of each view of an input. Feature maps are not kept: those of a
    /// long series would fill the memory. Maps are the mean of those of the views that show the whole
    /// input, each turned back.
    pub(crate) fn mean_of_views(&self, input: &[f32]) -> Result<Said, String> {
        let views = self.views.all();
        let whole = views.iter().filter(|view| view.corner.is_none()).count();
        let mut means = [0f32; LABEL_COUNT];
        let mut features: Option<Vec<f32>> = None;
        let mut maps: Option<FeatureMap> = None;
        for view in &views {
            let plain = *view == View { flip: false, corner: None };
            let shown = match plain {
                true => Cow::Borrowed(input),
                false => Cow::Owned(view.of(input, self.recipe.size)),
            };
            let output = self.engine.run(&shown).map_err(|error| error.to_string())?;
            for (mean, value) in means.iter_mut().zip(output.probabilities) {
                *mean += value / views.len() as f32;
            }
            if self.with_features {
                let map = output.features.ok_or("the network gives no feature map")?;
                let pooled = map.pooled();
                let sums = features.get_or_insert_with(|| vec![0.0; pooled.len()]);
                for (sum, value) in sums.iter_mut().zip(pooled) {
                    *sum += value / views.len() as f32;
                }
            }
            if let (Some(map), None) = (output.maps, view.corner) {
                add_map(&mut maps, map, view.flip, whole);
            }
        }
        Ok(Said { probabilities: Probabilities::from_array(means), features, maps })
    }
}

/// Adds one of `count` maps to their mean; `flip` turns the map of a mirror image back.
fn add_map(mean: &mut Option<FeatureMap>, mut map: FeatureMap, flip: bool, count: usize) {
    if flip {
        map.values.chunks_exact_mut(map.columns).for_each(<[f32]>::reverse);
    }
    map.values.iter_mut().for_each(|value| *value /= count as f32);
    match mean {
        Some(mean) => mean.values.iter_mut().zip(map.values).for_each(|(sum, it)| *sum += it),
        None => *mean = Some(map),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EngineError, Output};
    use hemora_ct::Window;

    /// The maps are the input in two columns; the probabilities are its first value.
    struct Mirror;

    impl Engine for Mirror {
        fn name(&self) -> &'static str {
            "mirror"
        }

        fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
            let row = [input[0], input[15]];
            let values = row.repeat(2 * LABEL_COUNT);
            let maps = FeatureMap { channels: LABEL_COUNT, rows: 2, columns: 2, values };
            let probabilities = [input[0]; LABEL_COUNT];
            Ok(Output { probabilities, features: None, maps: Some(maps) })
        }
    }

    #[test]
    fn maps_of_mirror_images_are_turned_back_and_corners_do_not_count() {
        let recipe = InputRecipe::grey(16, Window::BRAIN);
        let row: Vec<f32> = (0..16).map(|at| at as f32 / 15.0).collect();
        let input = row.repeat(3 * 16);
        for views in [Views::One, Views::Flip, Views::Ten] {
            let weights = [1.0; LABEL_COUNT];
            let scorer =
                Scorer { engine: &Mirror, recipe: &recipe, views, with_features: false, weights };
            let said = scorer.mean_of_views(&input).unwrap();
            let maps = said.maps.unwrap();
            assert_eq!(maps.values[..4], [0.0, 1.0, 0.0, 1.0], "{views:?}");
            assert_eq!(maps.values.len(), 24);
            if views == Views::Flip {
                assert_eq!(said.probabilities.any, 0.5);
            }
        }
    }
}
