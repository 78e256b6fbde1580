//! Where a map is highest.

use crate::Plane;

/// Row and column of the maximum of a map, between the centres of its parts: of the first of the highest
/// parts, moved along each axis to the vertex of the parabola through it and its two neighbours. A coarse map
/// so says more than which part it is; the log odds of a smooth peak are nearly such a parabola. `None` of a map
/// without parts; a maximum at the border stays on the centre of its part.
pub fn peak(map: &Plane) -> Option<[f64; 2]> {
    let Plane { rows, columns, values } = map;
    let higher = |best: usize, at: usize| if values[at] > values[best] { at } else { best };
    let at = (!values.is_empty()).then(|| (0..values.len()).fold(0, higher))?;
    let moved = |place: usize, count: usize, step: usize| {
        if place == 0 || place + 1 >= count {
            return place as f64;
        }
        let [before, here, after] =
            [at - step, at, at + step].map(|neighbour| f64::from(values[neighbour]));
        let bend = before - 2.0 * here + after;
        let vertex = if bend < 0.0 { 0.5 * (before - after) / bend } else { 0.0 };
        place as f64 + vertex.clamp(-0.5, 0.5)
    };
    Some([moved(at / columns, *rows, *columns), moved(at % columns, *columns, 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: impl Fn(f64, f64) -> f64) -> Plane {
        let value = |at: usize| values((at / 9) as f64, (at % 9) as f64) as f32;
        Plane { rows: 7, columns: 9, values: (0..63).map(value).collect() }
    }

    #[test]
    fn the_vertex_of_a_parabola_is_found_between_parts() {
        for [row, column] in [[3.0, 4.0], [2.7, 4.4], [3.45, 5.6]] {
            let [y, x] = peak(&map(|y, x| 5.0 - (y - row).powi(2) - 2.0 * (x - column).powi(2)))
                .expect("it has parts");
            assert!((y - row).abs() < 1e-5 && (x - column).abs() < 1e-5, "{y} {x}");
        }
    }

    #[test]
    fn flat_maps_and_borders_keep_their_part() {
        assert_eq!(peak(&map(|_, _| 1.0)), Some([0.0, 0.0]));
        assert_eq!(peak(&map(|y, x| y + x)), Some([6.0, 8.0]));
        // A plateau of two: half way at most.
        let [y, x] = peak(&map(|y, x| if y == 3.0 && (4.0..6.0).contains(&x) { 1.0 } else { 0.0 }))
            .expect("it has parts");
        assert_eq!([y, x], [3.0, 4.5]);
        assert_eq!(peak(&Plane { rows: 0, columns: 0, values: Vec::new() }), None);
    }
}
