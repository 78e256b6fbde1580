//! An image that an index names, and whether its file is still the one that was indexed.

use std::collections::HashMap;
use std::io::ErrorKind;

use hemora_base::sha256_hex;
use hemora_data::{FileStamp, SliceRow};
use hemora_io::{Source, read_bytes};
use rayon::prelude::*;

/// What is kept of a row of the index.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Where the image is.
    pub(crate) source: Source,
    stamp: FileStamp,
    sha256: String,
    /// Why the index says that it cannot be used.
    pub(crate) error: Option<String>,
    /// Whether its header could be read.
    is_readable: bool,
}

impl Image {
    pub(crate) fn new(row: &SliceRow) -> Self {
        Self {
            source: row.source(),
            stamp: FileStamp { size: row.file_size, modified_ns: row.modified_ns },
            sha256: row.sha256.clone(),
            error: row.error.clone(),
            is_readable: row.is_usable() || row.study_instance_uid.is_some(),
        }
    }

    /// The file or entry that it is in.
    fn object(&self) -> &Source {
        match &self.source {
            Source::Frame { object, .. } => object,
            source => source,
        }
    }

    /// Why the file is not the one that was indexed; `None` if it is.
    fn change(&self) -> Option<String> {
        let file = self.source.file();
        let now = match FileStamp::of(file) {
            Ok(now) => now,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Some("the file is gone since it was indexed".to_owned());
            }
            Err(error) => return Some(format!("the file cannot be read: {error}")),
        };
        let changed = "the file has changed since it was indexed; bring the index up to date with \
                       `hemora index`";
        if now.size != self.stamp.size {
            return Some(format!("{changed}: it has {} bytes, not {}", now.size, self.stamp.size));
        }
        if now.modified_ns == self.stamp.modified_ns {
            return None;
        }
        // Copied or only touched.
        match read_bytes(self.object()) {
            Ok(bytes) if sha256_hex(&bytes) == self.sha256 => None,
            Ok(_) => Some(changed.to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// The files or entries of some images that are to be read, each once; and why the others are not, by their
/// place among the images. An object all of whose images the index says cannot be used, from their headers on,
/// is not read again.
pub(crate) fn to_read(images: &[&Image]) -> (Vec<Source>, HashMap<usize, String>) {
    let mut objects: Vec<(&Source, Vec<usize>)> = Vec::new();
    let mut places: HashMap<&Source, usize> = HashMap::new();
    for (at, image) in images.iter().enumerate() {
        let place = *places.entry(image.object()).or_insert_with(|| {
            objects.push((image.object(), Vec::new()));
            objects.len() - 1
        });
        objects[place].1.push(at);
    }
    let checked: Vec<Option<String>> = objects
        .par_iter()
        .map(|(_, of_object)| {
            let readable = of_object.iter().find(|at| images[**at].is_readable);
            readable.and_then(|at| images[*at].change())
        })
        .collect();
    let (mut sources, mut not_read) = (Vec::new(), HashMap::new());
    for ((object, of_object), change) in objects.into_iter().zip(checked) {
        match change {
            Some(reason) => not_read.extend(of_object.into_iter().map(|at| (at, reason.clone()))),
            None if of_object.iter().any(|at| images[*at].is_readable) => {
                sources.push(object.clone());
            }
            None => {}
        }
    }
    (sources, not_read)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn image(path: &Path) -> Image {
        let stamp = FileStamp::of(path).unwrap();
        let row = SliceRow {
            path: path.to_str().unwrap().to_owned(),
            file_size: stamp.size,
            modified_ns: stamp.modified_ns,
            sha256: sha256_hex(&fs::read(path).unwrap()),
            ..SliceRow::default()
        };
        Image::new(&row)
    }

    #[test]
    fn a_touched_file_is_the_same_and_a_changed_or_gone_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dcm");
        fs::write(&path, "image").unwrap();
        let indexed = image(&path);
        assert_eq!(indexed.change(), None);
        let touch = |path: &Path| {
            let past = SystemTime::now() - Duration::from_secs(3600);
            File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
        };
        touch(&path);
        assert_eq!(indexed.change(), None);
        fs::write(&path, "other").unwrap();
        touch(&path);
        assert!(indexed.change().unwrap().contains("has changed"));
        fs::write(&path, "longer image").unwrap();
        assert!(indexed.change().unwrap().contains("12 bytes, not 5"));
        fs::remove_file(&path).unwrap();
        assert!(indexed.change().unwrap().contains("gone"));
    }

    #[test]
    fn an_object_of_several_images_is_read_once_and_an_unusable_one_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let [volume, broken] = ["a.nii", "b.dcm"].map(|name| folder.path().join(name));
        fs::write(&volume, "volume").unwrap();
        fs::write(&broken, "broken").unwrap();
        let object = image(&volume);
        let frame = |number| Image {
            source: Source::Frame { object: Box::new(object.source.clone()), number },
            ..object.clone()
        };
        let broken =
            Image { is_readable: false, error: Some("cut off".to_owned()), ..image(&broken) };
        let images = [frame(1), broken, frame(2)];
        let images: Vec<&Image> = images.iter().collect();
        assert_eq!(to_read(&images), (vec![object.source.clone()], HashMap::new()));
        fs::remove_file(&volume).unwrap();
        let (sources, not_read) = to_read(&images);
        assert!(sources.is_empty() && not_read.len() == 2 && not_read.contains_key(&2));
    }
}
