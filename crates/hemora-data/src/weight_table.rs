//! Weights of images in the loss as a table: `ID,weight`.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use crate::table::{Table, TableError, shorten, with_file};

/// The weight of each image's labels in the loss.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeightTable {
    weights: HashMap<Box<str>, f32>,
}

impl WeightTable {
    /// Reads a table, CSV or Parquet, with the columns `ID` and `weight`, a number from 0; other
    /// columns are passed over.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        with_file(path, |file| Self::from_table(Table::open(file)?))
    }

    fn from_table<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        let (id, weight) = (table.column("ID")?, table.column("weight")?);
        let mut weights: HashMap<Box<str>, f32> = HashMap::new();
        table.only([id, weight]).for_each(|_, fields| {
            let (image, field) = (fields[id].trim(), fields[weight].trim());
            if image.is_empty() {
                return Err("column `ID` is empty; expected an image id".to_owned());
            }
            let usable = |weight: &f32| weight.is_finite() && *weight >= 0.0;
            let weight = field.parse().ok().filter(usable).ok_or_else(|| {
                let (image, field) = (shorten(image), shorten(field));
                format!("the weight of `{image}` is `{field}`; expected 0 or a number above")
            })?;
            match weights.insert(image.into(), weight) {
                Some(earlier) if earlier != weight => {
                    Err(format!("`{}` weighs {earlier} and {weight}", shorten(image)))
                }
                _ => Ok(()),
            }
        })?;
        Ok(Self { weights })
    }

    /// The weight of an image; `None` if the table does not name it.
    pub fn weight(&self, id: &str) -> Option<f32> {
        self.weights.get(id).copied()
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WeightTable, TableError> {
        WeightTable::from_table(Table::new(text.as_bytes())?)
    }

    #[test]
    fn weights_are_read_by_id_and_wrong_ones_are_refused_with_their_line() {
        let table = read("ID,from,weight\na,x,0.35\nb,y,0\na,x,0.35\n").unwrap();
        assert_eq!((table.weight("a"), table.weight("b")), (Some(0.35), Some(0.0)));
        assert_eq!((table.weight("c"), table.len()), (None, 2));
        for (row, expected) in [
            ("a,-1", "`-1`; expected 0 or a number above"),
            ("a,inf", "`inf`"),
            ("a,", "``"),
            (",1", "`ID` is empty"),
            ("first,2", "`first` weighs 1 and 2"),
        ] {
            let message = read(&format!("ID,weight\nfirst,1\n{row}\n")).unwrap_err().to_string();
            assert!(message.starts_with("line 3") && message.contains(expected), "{message}");
        }
        assert!(read("ID,w\na,1\n").unwrap_err().to_string().contains("`weight`"));
    }
}
