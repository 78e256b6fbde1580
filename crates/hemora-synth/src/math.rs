//! Small vector helpers in millimetres, and the implicit shapes that anatomy is made of.

/// A point or direction: x to the patient's left, y to the back, z to the head.
pub(crate) type Point = [f32; 3];

pub(crate) fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(crate) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn scale(a: Point, factor: f32) -> Point {
    [a[0] * factor, a[1] * factor, a[2] * factor]
}

pub(crate) fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn norm(a: Point) -> f32 {
    dot(a, a).sqrt()
}

pub(crate) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A bell of height 1 at 0 and 1/e at ±`width`.
pub(crate) fn bell(value: f32, width: f32) -> f32 {
    let t = value / width;
    (-t * t).exp()
}

/// Depth inside an axis-aligned ellipsoid, about mm near its surface, negative outside.
pub(crate) fn ellipsoid(p: Point, centre: Point, radii: Point) -> f32 {
    let q = sub(p, centre);
    let (x, y, z) = (q[0] / radii[0], q[1] / radii[1], q[2] / radii[2]);
    let level = (x * x + y * y + z * z).sqrt();
    (1.0 - level) * radii[0].min(radii[1]).min(radii[2])
}

/// Distance from a line segment and the position along it, 0 to 1.
pub(crate) fn segment(p: Point, from: Point, to: Point) -> (f32, f32) {
    let along = sub(to, from);
    let offset = sub(p, from);
    let t = (dot(offset, along) / dot(along, along)).clamp(0.0, 1.0);
    (norm(sub(offset, scale(along, t))), t)
}

/// Mirrors a point to the patient's left.
pub(crate) fn folded(p: Point) -> Point {
    [p[0].abs(), p[1], p[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_know_inside_from_outside() {
        assert!(ellipsoid([0.0; 3], [1.0, 0.0, 0.0], [3.0, 3.0, 3.0]) > 1.9);
        assert!(ellipsoid([5.0, 0.0, 0.0], [0.0; 3], [4.0, 9.0, 9.0]) < 0.0);
        let (distance, t) = segment([5.0, 3.0, 0.0], [0.0; 3], [10.0, 0.0, 0.0]);
        assert!((distance - 3.0).abs() < 1e-6 && (t - 0.5).abs() < 1e-6);
        assert_eq!(segment([-4.0, 0.0, 3.0], [0.0; 3], [10.0, 0.0, 0.0]), (5.0, 0.0));
        assert_eq!((smoothstep(0.0, 2.0, -1.0), smoothstep(0.0, 2.0, 1.0)), (0.0, 0.5));
    }
}
