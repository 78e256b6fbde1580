//! The head as a series of axial slices with their labels.

use hemora_ct::{ImagePlane, LABEL_COUNT, Label, Slice};
use rayon::prelude::*;

use crate::math::{Point, add, scale};
use crate::phantom::{HeadPhantom, Stream, generator};
use crate::tissue::Tissue;

/// mm of air above the vertex that a scan covers.
const ABOVE_VERTEX: f64 = 4.0;
/// Height of the vertex over the skull base, mm, scalp included, at most.
const VERTEX: f64 = 98.0;
/// HU that a slice may have: what 12 unsigned bits hold with an intercept of −1024.
const RANGE: (f32, f32) = (-1024.0, 3071.0);
/// Half-way shifts in the plane (pixels) of the sub-slices that are averaged.
const SHIFTS: [[f32; 2]; 4] = [[-0.25, 0.25], [0.25, -0.25], [0.25, 0.25], [-0.25, -0.25]];

/// One slice with what is visible in it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhantomSlice {
    /// HU, rounded to whole numbers, and the plane.
    pub slice: Slice,
    /// Whether each label is visible, in label order.
    pub labels: [bool; LABEL_COUNT],
    /// Area of each subtype in the slice, mm², in label order.
    pub areas: [f32; LABEL_COUNT - 1],
    /// For each pixel the subtypes that fill half of it or more, one bit for each: bit 0 epidural.
    pub blood: Vec<u8>,
}

/// An imaged head.
#[derive(Debug, Clone, PartialEq)]
pub struct PhantomStudy {
    /// The seed of the head.
    pub seed: u64,
    /// The slices from the skull base to the vertex.
    pub slices: Vec<PhantomSlice>,
}

impl PhantomStudy {
    /// The labels that are visible in some slice.
    pub fn labels(&self) -> [bool; LABEL_COUNT] {
        std::array::from_fn(|label| self.slices.iter().any(|slice| slice.labels[label]))
    }
}

/// The geometry of one slice: a corner and two steps, in the patient.
struct Raster {
    plane: ImagePlane,
    corner: Point,
    per_row: Point,
    per_column: Point,
    normal: Point,
}

impl HeadPhantom {
    /// Number of slices of the series.
    pub fn slice_count(&self) -> usize {
        let covered = VERTEX + ABOVE_VERTEX - f64::from(self.scanner.start);
        (covered / self.options.slice_spacing).ceil() as usize + 1
    }

    /// Images the head on all cores.
    pub fn render(&self) -> PhantomStudy {
        let slices =
            (0..self.slice_count()).into_par_iter().map(|index| self.render_slice(index)).collect();
        PhantomStudy { seed: self.seed, slices }
    }

    /// Images one slice; `index` 0 is the lowest. Any index is as good alone as in the series.
    pub fn render_slice(&self, index: usize) -> PhantomSlice {
        let options = &self.options;
        let raster = self.raster(index);
        let pixels = options.rows * options.columns;
        let parts = ((options.slice_thickness / 1.7).round() as usize).clamp(1, SHIFTS.len());
        let mut image = vec![0f32; pixels];
        // Three bits for each subtype: how many parts it fills.
        let mut counts = vec![0u16; pixels];
        for (part, &offset) in SHIFTS.iter().enumerate().take(parts) {
            let along = (part as f64 + 0.5) / parts as f64 - 0.5;
            let shift = if parts == 1 { [0.0; 2] } else { offset };
            let start = add(
                add(raster.corner, scale(raster.normal, (along * options.slice_thickness) as f32)),
                add(scale(raster.per_row, shift[0]), scale(raster.per_column, shift[1])),
            );
            self.sample_plane(start, &raster, &mut image, &mut counts);
        }
        let share = 1.0 / parts as f32;
        image.iter_mut().for_each(|hu| *hu *= share);
        self.add_streaks(&raster, &mut image);
        let mut random = generator(self.seed, Stream::Slices, index as u64);
        self.scanner.expose(&mut image, options.columns, options.spacing as f32, &mut random);
        for hu in &mut image {
            *hu = hu.round().clamp(RANGE.0, RANGE.1);
        }
        let (areas, blood) = self.measure(&counts, parts as u16);
        let mut labels = [false; LABEL_COUNT];
        for label in Label::SUBTYPES {
            let area = areas[label.index()];
            labels[label.index()] = area > 0.0 && f64::from(area) >= options.minimal_area;
        }
        labels[Label::Any.index()] = labels.contains(&true);
        let slice = Slice::new(options.rows, options.columns, image, Some(raster.plane))
            .expect("rows × columns pixels were made");
        PhantomSlice { slice, labels, areas, blood }
    }

    fn raster(&self, index: usize) -> Raster {
        let options = &self.options;
        let (sin, cos) = options.tilt_degrees.to_radians().sin_cos();
        let column_direction = [0.0, cos, -sin];
        // The table moves along the patient, so tilted slices are further apart along z.
        let height = (f64::from(self.scanner.start) + index as f64 * options.slice_spacing) / cos;
        let half =
            [options.rows, options.columns].map(|size| (size - 1) as f64 / 2.0 * options.spacing);
        let corner = [-half[1], -half[0] * cos, height + half[0] * sin];
        let position = [corner[0], corner[1], corner[2] + f64::from(self.scanner.table)];
        let orientation = [1.0, 0.0, 0.0, 0.0, cos, -sin];
        let spacing = Some([options.spacing; 2]);
        let plane =
            ImagePlane::new(position, orientation, spacing).expect("checked options make a plane");
        let single = |p: [f64; 3]| p.map(|value| value as f32);
        Raster {
            plane,
            corner: single(corner),
            per_row: single(column_direction.map(|value| value * options.spacing)),
            per_column: [options.spacing as f32, 0.0, 0.0],
            normal: single([0.0, sin, cos]),
        }
    }

    fn sample_plane(&self, start: Point, raster: &Raster, image: &mut [f32], counts: &mut [u16]) {
        let columns = self.options.columns;
        let step = self.pose.head_from_patient_direction(raster.per_column);
        for (row, (pixels, counts)) in
            image.chunks_exact_mut(columns).zip(counts.chunks_exact_mut(columns)).enumerate()
        {
            let patient = add(start, scale(raster.per_row, row as f32));
            let head = self.pose.head_from_patient(patient);
            for (column, (pixel, count)) in pixels.iter_mut().zip(counts.iter_mut()).enumerate() {
                let sample = self.sample(add(head, scale(step, column as f32)));
                *pixel += match sample.tissue {
                    Tissue::Air if sample.hu <= -1000.0 => self
                        .scanner
                        .surroundings(add(patient, scale(raster.per_column, column as f32))),
                    _ => sample.hu + self.scanner.offset,
                };
                if let Tissue::Blood(label) = sample.tissue {
                    *count += 1 << (3 * label.index());
                }
            }
        }
    }

    fn add_streaks(&self, raster: &Raster, image: &mut [f32]) {
        let columns = self.options.columns;
        let step = self.pose.head_from_patient_direction(raster.per_column);
        for (row, pixels) in image.chunks_exact_mut(columns).enumerate() {
            let head =
                self.pose.head_from_patient(add(raster.corner, scale(raster.per_row, row as f32)));
            for (column, pixel) in pixels.iter_mut().enumerate() {
                if *pixel > -300.0 {
                    *pixel += self.scanner.streaks(add(head, scale(step, column as f32)));
                }
            }
        }
    }

    /// Area of each subtype (mm²) and the mask, from how many of `parts` each pixel's blood fills.
    fn measure(&self, counts: &[u16], parts: u16) -> ([f32; LABEL_COUNT - 1], Vec<u8>) {
        let mut filled = [0u32; LABEL_COUNT - 1];
        let mut blood = vec![0u8; counts.len()];
        for (&count, mask) in counts.iter().zip(&mut blood) {
            if count == 0 {
                continue;
            }
            for (label, filled) in filled.iter_mut().enumerate() {
                let share = (count >> (3 * label)) & 7;
                // Less than a third is too faint to see.
                if share * 3 >= parts {
                    *filled += u32::from(share);
                }
                if share * 2 >= parts && share > 0 {
                    *mask |= 1 << label;
                }
            }
        }
        let area = (self.options.spacing * self.options.spacing) as f32 / f32::from(parts);
        (filled.map(|count| count as f32 * area), blood)
    }
}
