//! Which images of a set are neighbours in a series.

/// Where an image lies: its series, and its number among all slices of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeriesPlace {
    pub(crate) series: String,
    pub(crate) place: u32,
}

/// The images of a set in the order of their series.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeriesOrder {
    places: Vec<SeriesPlace>,
    /// Images by series and place.
    order: Vec<u32>,
    /// Where each image stands in `order`.
    ranks: Vec<u32>,
}

impl SeriesOrder {
    pub(crate) fn new(places: Vec<SeriesPlace>) -> Self {
        let mut order: Vec<u32> = (0..places.len() as u32).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&places[a as usize], &places[b as usize]);
            a.series.cmp(&b.series).then(a.place.cmp(&b.place))
        });
        let mut ranks = vec![0; order.len()];
        for (rank, &image) in (0..).zip(&order) {
            ranks[image as usize] = rank;
        }
        Self { places, order, ranks }
    }

    /// This order with the images of another set behind those of this one.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self::new(self.places.into_iter().chain(other.places).collect())
    }

    /// The image `offset` slices from `image` along the normal, the end slice beyond the ends. Where
    /// the set lacks that slice, the farthest one before it that it has, as inference stands in for
    /// one that cannot be read.
    pub(crate) fn neighbour(&self, image: usize, offset: i32) -> usize {
        let place = |rank: usize| i64::from(self.places[self.order[rank] as usize].place);
        let start = self.ranks[image] as usize;
        let reach = i64::from(offset.unsigned_abs());
        let mut rank = start;
        while let Some(next) = self.beside(rank, offset.signum()) {
            if (place(next) - place(start)).abs() > reach {
                break;
            }
            rank = next;
        }
        self.order[rank] as usize
    }

    /// The rank beside `rank` on a side (−1, 1; 0 has none) in the same series.
    fn beside(&self, rank: usize, side: i32) -> Option<usize> {
        let next = rank.checked_add_signed(side as isize).filter(|next| *next != rank)?;
        let series = |rank: usize| &self.places[self.order[rank] as usize].series;
        (next < self.order.len() && series(next) == series(rank)).then_some(next)
    }

    /// How many images have a slice within `reach` in their series that the set lacks; of those
    /// above the highest that it has, it does not know.
    pub(crate) fn lacking(&self, reach: usize) -> usize {
        let place = |rank: usize| self.places[self.order[rank] as usize].place;
        let lacks = |start: &usize| {
            [-1, 1].into_iter().any(|side| {
                let mut rank = *start;
                (0..reach).any(|_| match self.beside(rank, side) {
                    Some(next) => {
                        let gap = place(next).abs_diff(place(rank)) > 1;
                        rank = next;
                        gap
                    }
                    None => side < 0 && place(rank) > 0,
                })
            })
        };
        (0..self.order.len()).filter(lacks).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(places: &[(&str, u32)]) -> SeriesOrder {
        let place = |&(series, place): &(&str, u32)| SeriesPlace { series: series.into(), place };
        SeriesOrder::new(places.iter().map(place).collect())
    }

    #[test]
    fn neighbours_are_those_of_the_series_and_ends_repeat() {
        // Not in the order of the places, and two series.
        let set = order(&[("b", 0), ("a", 2), ("a", 0), ("a", 1), ("b", 1)]);
        let around = |image| [-2, -1, 0, 1, 2].map(|offset| set.neighbour(image, offset));
        assert_eq!(around(2), [2, 2, 2, 3, 1]);
        assert_eq!(around(3), [2, 2, 3, 1, 1]);
        assert_eq!(around(1), [2, 3, 1, 1, 1]);
        assert_eq!(around(4), [0, 0, 4, 4, 4]);
        assert_eq!(set.lacking(2), 0);
    }

    #[test]
    fn for_a_slice_that_the_set_lacks_the_nearest_before_it_stands_in() {
        let set = order(&[("a", 0), ("a", 1), ("a", 4), ("a", 5)]);
        assert_eq!([1, 2, 3].map(|offset| set.neighbour(1, offset)), [1, 1, 2]);
        assert_eq!([-1, -2, -3].map(|offset| set.neighbour(2, offset)), [2, 2, 1]);
        assert_eq!(set.lacking(1), 2);
        let joined = set.joined(order(&[("a", 2), ("a", 3)]));
        assert_eq!([joined.neighbour(1, 1), joined.lacking(1)], [4, 0]);
    }
}
