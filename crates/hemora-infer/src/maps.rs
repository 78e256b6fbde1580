//! Where networks see each label on a slice: their maps over the upright image, put together.

use hemora_ct::{LABEL_COUNT, Label, Plane};
use hemora_model::{LabelMap, MapKind};

use crate::FeatureMap;
use crate::scorer::Scorer;

/// The maps of a slice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SliceMaps {
    /// Rows and columns of the upright image, pixels.
    pub image: [usize; 2],
    /// For each label, in label order, its probability in each part of the whole image; `None` where no
    /// network that has maps has a weight.
    pub planes: [Option<Plane>; LABEL_COUNT],
}

impl SliceMaps {
    /// The weighted mean of the maps of networks over an image, at the size of the largest; `None`
    /// without any.
    pub(crate) fn combine(maps: &[(&Scorer<'_>, FeatureMap)], image: [usize; 2]) -> Option<Self> {
        let rows = maps.iter().map(|(_, map)| map.rows).max()?;
        let columns = maps.iter().map(|(_, map)| map.columns).max()?;
        let planes = Label::ALL.map(|label| {
            let index = label.index();
            let whole: f64 = maps.iter().map(|(scorer, _)| scorer.weights[index]).sum();
            let mut values = vec![0f32; rows * columns];
            for (scorer, map) in maps {
                let area = map.rows * map.columns;
                let shown = map.values[index * area..][..area].to_vec();
                let shown = Plane { rows: map.rows, columns: map.columns, values: shown };
                let shown = over_image(shown, scorer.recipe.extent(image), image, [rows, columns]);
                let weight = (scorer.weights[index] / whole) as f32;
                values.iter_mut().zip(shown.values).for_each(|(sum, it)| *sum += weight * it);
            }
            // Rounding may leave a mean of ones above 1.
            values.iter_mut().for_each(|value| *value = value.min(1.0));
            (whole > 0.0).then_some(Plane { rows, columns, values })
        });
        Some(Self { image, planes })
    }
}

/// A map over the part `extent` of an image (as [`hemora_ct::InputRecipe::extent`]) as a map of
/// `[rows, columns]` over the whole image.
fn over_image(
    map: Plane,
    extent: [[f64; 2]; 2],
    image: [usize; 2],
    [rows, columns]: [usize; 2],
) -> Plane {
    let is_whole = |axis: usize| extent[axis] == [-0.5, image[axis] as f64];
    if is_whole(0) && is_whole(1) && [map.rows, map.columns] == [rows, columns] {
        return map;
    }
    let sides = [map.rows, map.columns];
    // Where in the map the centre of a part of the whole lies.
    let place = |axis: usize, at: usize, count: usize| {
        let pixel = (at as f64 + 0.5) / count as f64 * image[axis] as f64 - 0.5;
        let [start, length] = extent[axis];
        // An image of one row or column has no length on a canvas.
        let part = if length > 0.0 { (pixel - start) / length } else { 0.5 };
        part * sides[axis] as f64 - 0.5
    };
    let mut values = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        let down = place(0, row, rows);
        values.extend((0..columns).map(|column| sample(&map, [down, place(1, column, columns)])));
    }
    Plane { rows, columns, values }
}

/// The value of a map at a row and column between the centres of its parts, linearly; beyond the ends
/// that of the ends.
pub(crate) fn sample(map: &Plane, at: [f64; 2]) -> f32 {
    let between = |at: f64, count: usize| {
        let at = at.clamp(0.0, (count - 1) as f64);
        let low = at as usize;
        (low, (low + 1).min(count - 1), (at - low as f64) as f32)
    };
    let (top, bottom, down) = between(at[0], map.rows);
    let (left, right, across) = between(at[1], map.columns);
    let value = |row: usize, column: usize| map.values[row * map.columns + column];
    let line = |row: usize| value(row, left) + (value(row, right) - value(row, left)) * across;
    line(top) + (line(bottom) - line(top)) * down
}

/// The weighted mean of maps at the size of the largest: of those that are probabilities, if any are;
/// else scaled to a highest value of 1.
pub(crate) fn mean_map(label: Label, mut maps: Vec<(f64, LabelMap)>) -> Option<LabelMap> {
    let is_probability = |(_, map): &(f64, LabelMap)| map.kind == MapKind::Probability;
    let kind = match maps.iter().any(is_probability) {
        true => MapKind::Probability,
        false => MapKind::Activation,
    };
    maps.retain(|(_, map)| map.kind == kind);
    if maps.len() == 1 {
        return maps.into_iter().next().map(|(_, map)| map);
    }
    let rows = maps.iter().map(|(_, map)| map.plane.rows).max()?;
    let columns = maps.iter().map(|(_, map)| map.plane.columns).max()?;
    let mut values = vec![0f32; rows * columns];
    for (weight, map) in &maps {
        let map = map.upsampled(rows, columns);
        values.iter_mut().zip(map.values).for_each(|(sum, it)| *sum += *weight as f32 * it);
    }
    let whole = match kind {
        MapKind::Probability => maps.iter().map(|(weight, _)| *weight as f32).sum(),
        MapKind::Activation => values.iter().copied().fold(0f32, f32::max),
    };
    if whole <= 0.0 {
        return None;
    }
    values.iter_mut().for_each(|value| *value = (*value / whole).min(1.0));
    Some(LabelMap { label, kind, plane: Plane { rows, columns, values } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::{InputRecipe, Kept, Preparation, Views, Window};

    use crate::{Engine, EngineError, Output};

    struct Silent;

    impl Engine for Silent {
        fn name(&self) -> &'static str {
            "silent"
        }

        fn run(&self, _: &[f32]) -> Result<Output, EngineError> {
            unreachable!("nothing is asked")
        }
    }

    fn scorer(recipe: &InputRecipe, weight: f64) -> Scorer<'_> {
        let (views, mut weights) = (Views::One, [weight; LABEL_COUNT]);
        weights[0] = 0.0;
        Scorer { engine: &Silent, recipe, views, with_features: false, weights }
    }

    fn feature_map(rows: usize, columns: usize, values: &[f32]) -> FeatureMap {
        let values = values.repeat(LABEL_COUNT);
        FeatureMap { channels: LABEL_COUNT, rows, columns, values }
    }

    #[test]
    fn maps_of_networks_are_weighted_label_by_label() {
        let recipe = InputRecipe::grey(32, Window::BRAIN);
        let (a, b) = (scorer(&recipe, 0.75), scorer(&recipe, 0.25));
        let maps = [(&a, feature_map(1, 2, &[0.0, 1.0])), (&b, feature_map(1, 1, &[0.4]))];
        let maps = SliceMaps::combine(&maps, [64, 64]).unwrap();
        assert_eq!(maps.planes[0], None, "no network has a weight");
        let plane = maps.planes[5].as_ref().unwrap();
        assert_eq!((plane.rows, plane.columns), (1, 2));
        for (found, expected) in plane.values.iter().zip([0.1, 0.85]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(SliceMaps::combine(&[], [64, 64]), None);
    }

    #[test]
    fn a_margin_that_a_recipe_adds_is_cut_off_again() {
        // 30 rows of 60 columns in a square of 60: the lower half of the map is margin.
        let prepare = Preparation { canvas: None, size: Some(32), kept: Kept::Grey };
        let recipe = InputRecipe { prepare: Some(prepare), ..InputRecipe::grey(32, Window::BRAIN) };
        let network = scorer(&recipe, 1.0);
        let values: Vec<f32> = (0..16).map(|at| (at / 4) as f32 / 4.0).collect();
        let maps = [(&network, feature_map(4, 4, &values))];
        let maps = SliceMaps::combine(&maps, [30, 60]).unwrap();
        let plane = maps.planes[5].as_ref().unwrap();
        let rows: Vec<f32> = plane.values.chunks(4).map(|row| row[0]).collect();
        // Centres of the parts at an eighth, three eighths and so on of the upper half.
        for (found, expected) in rows.iter().zip([0.0, 0.0625, 0.1875, 0.3125]) {
            assert!((found - expected).abs() < 1e-6, "{rows:?}");
        }
    }

    #[test]
    fn maps_are_weighted_at_the_size_of_the_largest() {
        let map = |rows, columns, values: &[f32]| {
            let plane = Plane { rows, columns, values: values.to_vec() };
            LabelMap { label: Label::Any, kind: MapKind::Activation, plane }
        };
        let (small, large) = (map(1, 1, &[1.0]), map(2, 2, &[1.0, 0.0, 0.0, 0.5]));
        assert_eq!(mean_map(Label::Any, vec![(0.3, small.clone())]), Some(small.clone()));
        let mean = mean_map(Label::Any, vec![(0.25, small), (0.75, large.clone())]).unwrap();
        assert_eq!((mean.plane.rows, mean.plane.columns), (2, 2));
        let expected = [1.0, 0.25, 0.25, 0.625];
        for (found, expected) in mean.plane.values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{:?}", mean.plane.values);
        }
        assert_eq!(mean_map(Label::Any, vec![(0.0, large.clone()), (0.0, large)]), None);
        assert_eq!(mean_map(Label::Any, Vec::new()), None);
        // What a network says itself goes before what is guessed of another, and is not scaled.
        let said = |value| LabelMap { kind: MapKind::Probability, ..map(1, 1, &[value]) };
        let both =
            vec![(0.5, map(2, 2, &[1.0, 0.0, 0.0, 0.5])), (0.3, said(0.2)), (0.2, said(0.7))];
        let mean = mean_map(Label::Any, both).unwrap();
        assert_eq!(mean.kind, MapKind::Probability);
        assert!((mean.plane.values[0] - 0.4).abs() < 1e-6, "{:?}", mean.plane.values);
    }
}
