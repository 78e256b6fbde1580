//! The rows of a Parquet file, a group at a time.

/// Rows of the group that was read last, and which is next.
#[derive(Debug)]
pub(crate) struct RowGroups<R> {
    next_group: usize,
    rows: std::vec::IntoIter<R>,
}

impl<R> Default for RowGroups<R> {
    fn default() -> Self {
        Self { next_group: 0, rows: Vec::new().into_iter() }
    }
}

impl<R> RowGroups<R> {
    /// The next row of `groups` groups, which `read` reads by their number. What follows a group that cannot be
    /// read is not believed either: its error is the last that comes.
    pub(crate) fn next<E>(
        &mut self,
        groups: usize,
        read: impl Fn(usize) -> Result<Vec<R>, E>,
    ) -> Option<Result<R, E>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(row));
            }
            if self.next_group >= groups {
                return None;
            }
            match read(self.next_group) {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(error) => {
                    self.next_group = usize::MAX;
                    return Some(Err(error));
                }
            }
            self.next_group += 1;
        }
    }
}
