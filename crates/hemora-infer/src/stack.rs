//! A stack of slices, a few at a time, to network inputs.

use hemora_ct::{InputRecipe, Slice};
use rayon::prelude::*;

/// Reads one slice of a stack by its index.
pub(crate) type Read<'a> = &'a (dyn Fn(usize) -> Result<Slice, String> + Sync);

/// Some consecutive slices of a stack, decoded.
pub(crate) struct Window {
    first: usize,
    slices: Vec<Result<Slice, String>>,
    count: usize,
}

impl Window {
    /// An empty window on a stack of `count` slices.
    fn new(count: usize) -> Self {
        Self { first: 0, slices: Vec::new(), count }
    }

    /// The slices that the input of slice `index` needs, up to `reach` on either side.
    pub(crate) fn around(reach: usize, count: usize, index: usize, read: Read<'_>) -> Self {
        let mut window = Self::new(count);
        window.move_to(index.saturating_sub(reach), (index + reach + 1).min(count), read);
        window
    }

    /// Holds the slices from `from` to before `to`, keeping those already held.
    fn move_to(&mut self, from: usize, to: usize, read: Read<'_>) {
        let held = self.first + self.slices.len();
        if from >= held {
            (self.first, self.slices) = (from, Vec::new());
        } else {
            self.slices.drain(..from - self.first);
            self.first = from;
        }
        let next = self.first + self.slices.len();
        let more: Vec<_> = (next..to).into_par_iter().map(read).collect();
        self.slices.extend(more);
    }

    /// The decoded slice `index`, which must be held.
    pub(crate) fn slice(&self, index: usize) -> Result<&Slice, String> {
        self.slices[index - self.first].as_ref().map_err(Clone::clone)
    }

    /// The input of slice `index`, which must be held with what the recipe reaches. At the ends
    /// of the stack the last slice is repeated; for a neighbour that cannot be decoded the nearest
    /// slice before it stands in.
    pub(crate) fn input(&self, recipe: &InputRecipe, index: usize) -> Result<Vec<f32>, String> {
        let slice = self.slice(index)?;
        Ok(recipe.input(|offset| {
            let wanted = hemora_ct::stack::neighbour(index, offset, self.count);
            let between: Vec<usize> = if offset < 0 {
                (wanted..index).collect()
            } else {
                (index + 1..=wanted).rev().collect()
            };
            between.into_iter().find_map(|other| self.slice(other).ok()).unwrap_or(slice)
        }))
    }
}

/// Hands each of `count` slices with its neighbours, up to `reach` on either side, to `run`, on all
/// cores; `finished` is called after each slice, with its index. Holds a few slices per core at a time.
pub(crate) fn map_windows<T: Send>(
    reach: usize,
    count: usize,
    read: Read<'_>,
    run: &(dyn Fn(&Window, usize) -> Result<T, String> + Sync),
    finished: &(dyn Fn(usize) + Sync),
) -> Vec<Result<T, String>> {
    if reach == 0 {
        // No neighbours: each core holds the one slice that it works on.
        return (0..count)
            .into_par_iter()
            .map(|index| {
                let slices = vec![read(index)];
                let result = run(&Window { first: index, slices, count }, index);
                finished(index);
                result
            })
            .collect();
    }
    let step = (2 * rayon::current_num_threads()).max(2 * reach);
    let mut window = Window::new(count);
    let mut results = Vec::with_capacity(count);
    for start in (0..count).step_by(step) {
        let end = (start + step).min(count);
        window.move_to(start.saturating_sub(reach), (end + reach).min(count), read);
        let scored: Vec<_> = (start..end)
            .into_par_iter()
            .map(|index| {
                let result = run(&window, index);
                finished(index);
                result
            })
            .collect();
        results.extend(scored);
    }
    results
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use hemora_ct::Channel;

    /// Window of 0 to 1000 HU, so that an input is 1/1000 of a slice's HU.
    const WINDOW: hemora_ct::Window = hemora_ct::Window { level: 500.0, width: 1000.0 };

    fn recipe(offsets: &[i32]) -> InputRecipe {
        InputRecipe {
            mean: vec![0.0; offsets.len()],
            std: vec![1.0; offsets.len()],
            ..InputRecipe::of(
                16,
                offsets.iter().map(|&offset| Channel { window: WINDOW, offset }).collect(),
            )
        }
    }

    /// The slice with index i is i HU everywhere; those in `broken` cannot be read.
    fn stack(broken: &'static [usize]) -> impl Fn(usize) -> Result<Slice, String> + Sync {
        move |index| match broken.contains(&index) {
            true => Err(format!("slice {index} is broken")),
            false => Ok(Slice::new(16, 16, vec![index as f32; 256], None).unwrap()),
        }
    }

    /// Which slice each channel of each input shows.
    fn shown(
        offsets: &[i32],
        count: usize,
        broken: &'static [usize],
    ) -> Vec<Result<Vec<usize>, String>> {
        let finished = AtomicUsize::new(0);
        let recipe = recipe(offsets);
        let run = |window: &Window, index: usize| {
            let input = window.input(&recipe, index)?;
            Ok(input.chunks(256).map(|plane| (plane[0] * 1000.0).round() as usize).collect())
        };
        let results = map_windows(recipe.reach(), count, &stack(broken), &run, &|_| {
            finished.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(finished.into_inner(), count);
        results
    }

    #[test]
    fn neighbours_are_those_of_the_stack_and_ends_repeat() {
        let results = shown(&[-2, 0, 1], 50, &[]);
        for (index, result) in results.into_iter().enumerate() {
            let expected = vec![index.saturating_sub(2), index, (index + 1).min(49)];
            assert_eq!(result, Ok(expected));
        }
        assert_eq!(shown(&[-2, 0, 1], 1, &[]), [Ok(vec![0, 0, 0])]);
        assert!(shown(&[0], 0, &[]).is_empty() && shown(&[1], 0, &[]).is_empty());
    }

    #[test]
    fn a_broken_slice_is_left_out_and_its_neighbours_go_on() {
        let results = shown(&[0], 20, &[3]);
        assert_eq!(results[3], Err("slice 3 is broken".to_owned()));
        assert!(results.iter().enumerate().all(|(index, it)| index == 3 || it.is_ok()));
        let results = shown(&[-2, 0, 2], 20, &[3, 7, 8]);
        assert_eq!(results[5], Ok(vec![4, 5, 6]));
        assert_eq!(results[6], Ok(vec![4, 6, 6]));
        assert_eq!(results[9], Ok(vec![9, 9, 11]));
        assert!(results[7].is_err() && results[8].is_err());
    }

    #[test]
    fn few_slices_are_held_and_each_is_read_once() {
        let (held, most, reads) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let read = |index: usize| {
            reads.fetch_add(1, Ordering::Relaxed);
            most.fetch_max(held.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            stack(&[])(index)
        };
        // Each slice finished makes room for one more in the steady state.
        let finished = |_| {
            held.fetch_sub(1, Ordering::Relaxed);
        };
        let results = map_windows(1, 1000, &read, &|_, _| Ok(()), &finished);
        assert_eq!((results.len(), reads.into_inner()), (1000, 1000));
        let bound = 2 * rayon::current_num_threads() + 8;
        assert!(most.into_inner() <= bound, "{bound}");
    }
}
