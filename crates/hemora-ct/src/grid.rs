//! A volume over the stored images of a stack: where its voxels lie and which image each of its slices shows.

use crate::{ImagePlane, Turn, stack};

/// Most slices of a volume.
const MOST_PLANES: usize = 2048;
/// Slices nearer to each other are no steps of a volume, mm.
const LEAST_STEP_MM: f64 = 0.2;
/// A slice of a volume that lies between two of the series shows the nearer, up to so far away, mm.
const NEAR_MM: f64 = 5.0;
/// How far pixel spacings of one series may differ, as a part.
const SAME_SPACING: f64 = 1e-3;

/// An image of a stack: its number, its rows and columns, and where it lies.
pub type GridImage = (usize, [usize; 2], Option<ImagePlane>);

/// Where the voxels of a volume lie.
#[derive(Debug, Clone, PartialEq)]
pub struct StackGrid {
    /// Rows and columns of the stored images.
    pub stored: [usize; 2],
    /// Rows and columns of the volume.
    pub reduced: [usize; 2],
    /// What turns the stored images upright.
    pub turn: Turn,
    /// For each slice of the volume the number of the image that it shows; `None` in a gap.
    pub shown: Vec<Option<usize>>,
    /// Patient coordinates (left, back, head; mm) of a voxel: three rows of three factors of its column,
    /// row and slice, and what is added.
    pub patient_from_voxel: [[f64; 4]; 3],
}

/// Why images make no volume.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// There is an image without a place, or no image.
    #[error("not all of its slices have a position and a pixel spacing")]
    NoPlace,
    /// They do not lie over each other.
    #[error("its slices differ in size, pixel spacing or direction")]
    Different,
    /// They would make too many slices.
    #[error(
        "its slices lie {least:.2} mm apart over {extent:.0} mm, which makes more than {MOST_PLANES} slices"
    )]
    TooMany {
        /// Least distance, mm.
        least: f64,
        /// From the lowest to the highest, mm.
        extent: f64,
    },
}

impl StackGrid {
    /// A volume over `images`, its rows and columns reduced to at most `most_side`.
    ///
    /// It has one distance between slices: that of a stack whose slices are further apart in one part is the
    /// least, and slices in between show the nearest.
    ///
    /// # Errors
    /// [`GridError`] says why they make none.
    pub fn new(images: &[GridImage], most_side: usize) -> Result<Self, GridError> {
        let placed = |&(index, size, plane): &GridImage| {
            let plane = plane?;
            Some((index, size, plane, plane.spacing?))
        };
        let all: Option<Vec<_>> = images.iter().map(placed).collect();
        let slices = all.filter(|all| !all.is_empty()).ok_or(GridError::NoPlace)?;
        let (_, stored, plane, spacing) = slices[0];
        let differs =
            |&(_, size, other, [down, across]): &(_, [usize; 2], ImagePlane, [f64; 2])| {
                let near = |a: f64, b: f64| (a - b).abs() <= SAME_SPACING * b;
                size != stored
                    || !stack::is_same_direction(other.orientation(), plane.orientation())
                    || !near(down, spacing[0])
                    || !near(across, spacing[1])
            };
        if slices.iter().any(differs) {
            return Err(GridError::Different);
        }
        let normal = stack::upward_normal(plane);
        let mut order: Vec<(f64, usize, ImagePlane)> = slices
            .into_iter()
            .map(|(index, _, plane, _)| (plane.distance_along(normal), index, plane))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (shown, step) = planes(&order, normal)?;

        let scale = most_side as f64 / stored[0].max(stored[1]) as f64;
        let reduced = match scale < 1.0 {
            true => stored.map(|side| ((side as f64 * scale).round() as usize).max(1)),
            false => stored,
        };
        // Pixels of the image in one of the volume.
        let ratio = [0, 1].map(|axis| stored[axis] as f64 / reduced[axis] as f64);
        let lowest = order[0].2;
        let corner = ratio.map(|ratio| (ratio - 1.0) / 2.0);
        let origin = lowest.patient_from_voxel(corner).ok_or(GridError::NoPlace)?;
        let patient_from_voxel = std::array::from_fn(|axis| {
            [
                lowest.row_direction[axis] * spacing[1] * ratio[1],
                lowest.column_direction[axis] * spacing[0] * ratio[0],
                step[axis],
                origin[axis],
            ]
        });
        let turn = Turn::upright(Some(plane));
        Ok(Self { stored, reduced, turn, shown, patient_from_voxel })
    }
}

/// Which image each slice of a volume shows, and the step from one to the next, mm. `order` are the images
/// upwards: their positions, numbers and planes.
fn planes(
    order: &[(f64, usize, ImagePlane)],
    normal: [f64; 3],
) -> Result<(Vec<Option<usize>>, [f64; 3]), GridError> {
    let (lowest, highest) = (&order[0], &order[order.len() - 1]);
    let extent = highest.0 - lowest.0;
    if stack::is_same_position(lowest.0, highest.0) {
        // One slice does not say how thick it is.
        return Ok((vec![Some(lowest.1)], normal));
    }
    let positions: Vec<f64> = order.iter().map(|it| it.0).collect();
    let least = stack::spacings(&positions).into_iter().fold(extent, f64::min);
    let steps = (extent / least.max(LEAST_STEP_MM)).round().max(1.0);
    if steps >= MOST_PLANES as f64 {
        return Err(GridError::TooMany { least, extent });
    }
    let step =
        std::array::from_fn(|axis| (highest.2.position[axis] - lowest.2.position[axis]) / steps);
    let reach = NEAR_MM.max(extent / steps);
    let shown = |at: usize| {
        let z = lowest.0 + at as f64 * extent / steps;
        let distance = |it: &&(f64, usize, ImagePlane)| (it.0 - z).abs();
        let nearest = order.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= reach).then_some(nearest.1)
    };
    Ok(((0..=steps as usize).map(shown).collect(), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn image(index: usize, z: f64, size: [usize; 2]) -> GridImage {
        (index, size, Some(ImagePlane::new([0.0, 0.0, z], AXIAL, Some([0.5, 0.4])).unwrap()))
    }

    #[test]
    fn images_that_are_not_reduced_keep_their_place() {
        let images = [image(0, 10.0, [30, 40]), image(1, 5.0, [30, 40])];
        let grid = StackGrid::new(&images, usize::MAX).unwrap();
        assert_eq!((grid.reduced, grid.shown), ([30, 40], vec![Some(1), Some(0)]));
        let expected = [[0.4, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 5.0, 5.0]];
        assert_eq!(grid.patient_from_voxel, expected);
        assert_eq!(StackGrid::new(&images, 20).unwrap().reduced, [15, 20]);
    }

    #[test]
    fn images_that_do_not_lie_over_each_other_make_none() {
        let size = [16, 16];
        let refused = |images: &[GridImage]| StackGrid::new(images, 128).unwrap_err();
        assert_eq!(refused(&[]), GridError::NoPlace);
        assert_eq!(refused(&[image(0, 0.0, size), (1, size, None)]), GridError::NoPlace);
        assert_eq!(refused(&[image(0, 0.0, size), image(1, 5.0, [32, 16])]), GridError::Different);
        let far = [image(0, 0.0, size), image(1, 1.0, size), image(2, 900_000.0, size)];
        assert!(refused(&far).to_string().contains("2048"));
    }
}
