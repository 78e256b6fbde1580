//! Thick slices of a head that was imaged in thin ones.

use hemora_ct::{LABEL_COUNT, Slice};

use crate::render::{PhantomSlice, PhantomStudy};

impl PhantomStudy {
    /// The same exposure reconstructed in thicker slices: the mean HU of every `parts` slices from slice `begin`
    /// on, in the middle of them. Fewer at the end are left out.
    ///
    /// [`HeadPhantom::render`](crate::HeadPhantom::render) with thicker slices exposes the head anew, with other
    /// noise. A label, or a pixel's blood, is there where half of the parts have it.
    ///
    /// # Panics
    /// If `parts` is 0.
    #[must_use]
    pub fn thick(&self, parts: usize, begin: usize) -> Self {
        let thin = self.slices.get(begin..).unwrap_or_default();
        let slices = thin.chunks_exact(parts).map(thick_slice).collect();
        Self { seed: self.seed, slices }
    }
}

fn thick_slice(parts: &[PhantomSlice]) -> PhantomSlice {
    let [first, last] = [&parts[0], &parts[parts.len() - 1]];
    let count = parts.len() as f32;
    let has_half = |has: &dyn Fn(&PhantomSlice) -> bool| {
        2 * parts.iter().filter(|part| has(part)).count() >= parts.len()
    };
    let pixels = 0..first.blood.len();
    let hu = |pixel: usize| {
        let sum: f32 = parts.iter().map(|part| part.slice.hu()[pixel]).sum();
        (sum / count).round()
    };
    let blood = |pixel: usize| {
        let bits = (0..u8::BITS).map(|bit| 1u8 << bit);
        bits.filter(|bit| has_half(&|part| part.blood[pixel] & bit != 0)).sum()
    };
    let plane = first.slice.plane.zip(last.slice.plane).map(|(mut plane, last)| {
        for (axis, behind) in last.position.into_iter().enumerate() {
            plane.position[axis] = f64::midpoint(plane.position[axis], behind);
        }
        plane
    });
    let (rows, columns) = (first.slice.rows(), first.slice.columns());
    let slice = Slice::new(rows, columns, pixels.clone().map(hu).collect(), plane)
        .expect("as many pixels as a part has");
    PhantomSlice {
        slice,
        labels: std::array::from_fn::<_, LABEL_COUNT, _>(|at| has_half(&|part| part.labels[at])),
        areas: std::array::from_fn(|at| {
            parts.iter().map(|part| part.areas[at]).sum::<f32>() / count
        }),
        blood: pixels.map(blood).collect(),
    }
}
