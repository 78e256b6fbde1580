//! Many short texts and the places of many files in little memory: a set has a million slices.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::PathBuf;

use hemora_io::Source;

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TextId(u32);

/// Texts one behind the other, without an allocation each.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: String,
    /// Where each text ends.
    ends: Vec<usize>,
    shared: HashMap<Box<str>, TextId>,
}

impl Texts {
    /// Keeps a text.
    ///
    /// # Panics
    /// With more than 2³² texts; [`super::plan::MAX_SLICES`] keeps below that.
    pub(super) fn push(&mut self, text: &str) -> TextId {
        let id = TextId(u32::try_from(self.ends.len()).expect("slices are limited"));
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        id
    }

    /// Keeps a text that others are likely to be equal to once for all.
    pub(super) fn share(&mut self, text: &str) -> TextId {
        if let Some(&id) = self.shared.get(text) {
            return id;
        }
        let id = self.push(text);
        self.shared.insert(text.into(), id);
        id
    }

    pub(super) fn get(&self, TextId(id): TextId) -> &str {
        let id = id as usize;
        let start = id.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[id]]
    }
}

/// A [`Source`] whose texts are kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedSource {
    /// The folder with its last separator; of an entry the archive.
    folder: TextId,
    /// The rest of the path; of an entry its name.
    name: TextId,
    /// Index of the entry; `u64::MAX` for a file.
    entry: u64,
    /// Number of the frame; 0 for an object of one image.
    frame: u32,
}

impl PackedSource {
    /// Keeps a source; `None` if its path is no UTF-8 text, as every path of an index is, or it is
    /// no source of an index.
    pub(super) fn new(source: &Source, texts: &mut Texts) -> Option<Self> {
        match source {
            Source::File(path) => {
                let path = path.to_str()?;
                let (folder, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
                let (folder, name) = (texts.share(folder), texts.push(name));
                Some(Self { folder, name, entry: u64::MAX, frame: 0 })
            }
            Source::Entry { archive, index, name } => {
                let (folder, name) = (texts.share(archive.to_str()?), texts.push(name));
                Some(Self { folder, name, entry: *index as u64, frame: 0 })
            }
            Source::Frame { object, number } => {
                let frame = u32::try_from(*number).ok()?;
                Some(Self { frame, ..Self::new(object, texts)? })
            }
            Source::Picture { .. } | Source::Bytes { .. } => None,
        }
    }

    /// By folder, name and number.
    pub(super) fn compare(self, other: Self, texts: &Texts) -> Ordering {
        let names = |place: Self| (texts.get(place.folder), texts.get(place.name));
        let numbers = |place: Self| (place.entry, place.frame);
        names(self).cmp(&names(other)).then(numbers(self).cmp(&numbers(other)))
    }

    pub(super) fn unpack(self, texts: &Texts) -> Source {
        let (folder, name) = (texts.get(self.folder), texts.get(self.name));
        let object = match self.entry {
            u64::MAX => Source::File(PathBuf::from(format!("{folder}{name}"))),
            entry => {
                let (archive, name) = (PathBuf::from(folder), name.to_owned());
                Source::Entry { archive, index: entry as usize, name }
            }
        };
        match self.frame {
            0 => object,
            number => Source::Frame { object: Box::new(object), number: number as usize },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_sources_come_back() {
        let mut texts = Texts::default();
        let ids = ["a", "", "größer"].map(|text| texts.push(text));
        assert_eq!(ids.map(|id| texts.get(id)), ["a", "", "größer"]);
        let one = texts.share("series");
        assert_ne!(texts.push("series"), one);
        assert_eq!(texts.share("series"), one);
        let archive = PathBuf::from("a/b.zip");
        let entry = Source::Entry { archive, index: 3, name: "c/d.dcm".to_owned() };
        let frame = |object: &Source| Source::Frame { object: Box::new(object.clone()), number: 7 };
        let file = |path: &str| Source::File(PathBuf::from(path));
        for source in [file("/a/b/c.dcm"), file("c.dcm"), file("/c"), frame(&entry), entry] {
            let place = PackedSource::new(&source, &mut texts).unwrap();
            assert_eq!(place.unpack(&texts), source);
        }
    }
}
