//! Tells ids from the numbers of rows, which pandas writes into a first column without a name.

/// Whether the ids of a table are nothing but the numbers of its rows, from 0 or 1, in any order: two
/// such tables would be joined by where a row stands, whatever it is of.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowNumbers {
    rows: u64,
    /// Whether an id is no whole number.
    others: bool,
    least: Option<u64>,
    most: u64,
}

impl RowNumbers {
    /// Takes the id of the next row.
    pub fn add(&mut self, id: &str) {
        self.rows += 1;
        match id.parse::<u64>().ok().filter(|number| number.to_string() == id) {
            Some(number) => {
                self.least = Some(self.least.map_or(number, |least| least.min(number)));
                self.most = self.most.max(number);
            }
            None => self.others = true,
        }
    }

    /// Whether all ids so far, of which none is there twice, are the numbers of the rows.
    pub fn are_all(&self) -> bool {
        let first = self.least.filter(|least| *least <= 1 && !self.others);
        first.is_some_and(|first| self.most - first + 1 == self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_numbers_are_no_ids() {
        let are_all = |ids: &[&str]| {
            let mut numbers = RowNumbers::default();
            ids.iter().for_each(|id| numbers.add(id));
            numbers.are_all()
        };
        for ids in [&["0", "1", "2"][..], &["1", "2"], &["2", "0", "1"], &["0"]] {
            assert!(are_all(ids), "{ids:?}");
        }
        for ids in [&["0", "2"][..], &["5", "6"], &["0", "ID_1"], &["00", "01"], &["0", "-1"], &[]]
        {
            assert!(!are_all(ids), "{ids:?}");
        }
    }
}
