//! Which items belong together, and how often a bootstrap draws each group of them.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The cluster (patient) of every item, numbered in the order of their first items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    of_items: Vec<u32>,
    count: usize,
}

impl Clusters {
    /// `groups[i]` is the group of item `i`, by any name.
    ///
    /// # Panics
    /// With more than 2³² groups, which no memory holds.
    pub fn new<G: Ord>(groups: &[G]) -> Self {
        let mut numbers: BTreeMap<&G, u32> = BTreeMap::new();
        let mut of_items: Vec<u32> = Vec::with_capacity(groups.len());
        for (item, group) in groups.iter().enumerate() {
            let next = u32::try_from(numbers.len()).expect("fewer than 2^32 groups");
            // Items of a group mostly follow each other: then it need not be looked up.
            let known = item.checked_sub(1).filter(|&before| groups[before] == *group);
            of_items.push(match known {
                Some(before) => of_items[before],
                None => *numbers.entry(group).or_insert(next),
            });
        }
        Self { of_items, count: numbers.len() }
    }

    /// Every one of `items` items alone.
    ///
    /// # Panics
    /// With more than 2³² items, which no memory holds.
    pub fn alone(items: usize) -> Self {
        let last = u32::try_from(items).expect("fewer than 2^32 items");
        Self { of_items: (0..last).collect(), count: items }
    }

    /// Number of clusters.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Cluster of each item.
    pub fn of_items(&self) -> &[u32] {
        &self.of_items
    }

    /// Items of each cluster, in their order.
    pub(crate) fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.count];
        for (item, &cluster) in self.of_items.iter().enumerate() {
            members[cluster as usize].push(item);
        }
        members
    }
}

/// The clusters that one repeat draws, with replacement, as many as there are. A stream of its own
/// for each repeat: the thread that runs it does not matter.
pub(crate) fn draws(clusters: usize, seed: u64, repeat: usize) -> impl Iterator<Item = usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(repeat as u64);
    (0..clusters).map(move |_| rng.random_range(0..clusters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_numbered_by_their_first_items() {
        let clusters = Clusters::new(&["b", "a", "b", "c"]);
        assert_eq!(clusters.of_items(), [0, 1, 0, 2]);
        assert_eq!(clusters.len(), 3);
        assert_eq!(clusters.members(), [vec![0, 2], vec![1], vec![3]]);
        assert!(Clusters::new::<u8>(&[]).is_empty());
        assert_eq!(Clusters::alone(3), Clusters::new(&[5, 6, 7]));
    }
}
