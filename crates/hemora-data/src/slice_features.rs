//! Pooled features of slices: one safetensors file with a tensor `features`, F16 `[rows, columns]`,
//! in the order of a [`SliceTable`](crate::SliceTable).

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

/// Name of the tensor.
const TENSOR: &str = "features";
/// Most bytes of the header: one tensor and a few words of metadata.
const MAX_HEADER: u64 = 1 << 16;

/// Why features cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct FeaturesError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// A vector of features for each slice, held as 16-bit floats.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceFeatures {
    columns: usize,
    values: Vec<f16>,
}

impl SliceFeatures {
    /// Zeros for `rows` slices of `columns` features each.
    ///
    /// # Panics
    /// If `columns` is 0.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        assert!(columns > 0, "slices have at least one feature");
        Self { columns, values: vec![f16::ZERO; rows * columns] }
    }

    /// Number of slices.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Features of a slice.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Sets a slice's features; values beyond the range of f16, ±65504, become its ends.
    ///
    /// # Panics
    /// If there is no such slice, or the number of features is another.
    pub fn set(&mut self, row: usize, features: &[f32]) {
        assert_eq!(features.len(), self.columns, "features of a slice");
        let slots = &mut self.values[row * self.columns..][..self.columns];
        for (slot, value) in slots.iter_mut().zip(features) {
            *slot = f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()));
        }
    }

    /// The features of a slice.
    ///
    /// # Panics
    /// If there is no such slice.
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.values[row * self.columns..][..self.columns].iter().map(|value| value.to_f32())
    }

    /// Writes the file beside `path`, which it then replaces.
    ///
    /// # Errors
    /// [`FeaturesError`] if the operating system refuses.
    pub fn write(&self, path: &Path) -> Result<(), FeaturesError> {
        let info = TensorInfo {
            dtype: Dtype::F16,
            shape: vec![self.rows(), self.columns],
            data_offsets: (0, 2 * self.values.len()),
        };
        let failed = |reason: String| FeaturesError { path: path.to_owned(), reason };
        let mut header = serde_json::to_vec(&HashMap::from([(TENSOR, info)]))
            .map_err(|error| failed(error.to_string()))?;
        // The values are aligned to eight bytes.
        header.resize(header.len().next_multiple_of(8), b' ');
        let written = hemora_base::write_whole(path, |file| {
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            for row in self.values.chunks(self.columns) {
                let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
                file.write_all(&bytes)?;
            }
            Ok(())
        });
        written.map_err(|error: std::io::Error| failed(error.to_string()))
    }

    /// Reads a file; its length must be what its header says.
    ///
    /// # Errors
    /// [`FeaturesError`] if it is no such file, is cut off, or a feature is not finite.
    pub fn read(path: &Path) -> Result<Self, FeaturesError> {
        Self::open(path).map_err(|reason| FeaturesError { path: path.to_owned(), reason })
    }

    fn open(path: &Path) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let mut file = std::fs::File::open(path).map_err(text)?;
        let length = file.metadata().map_err(text)?.len();
        let mut head = [0; 8];
        file.read_exact(&mut head).map_err(text)?;
        let header = u64::from_le_bytes(head);
        if header > MAX_HEADER.min(length) {
            return Err(format!("no file of features: a header of {header} bytes"));
        }
        let mut start = Vec::new();
        (&mut file).take(header).read_to_end(&mut start).map_err(text)?;
        let metadata: Metadata = serde_json::from_slice(&start)
            .map_err(|error| format!("not a safetensors file: {error}"))?;
        let tensor = metadata.info(TENSOR).ok_or("it has no tensor `features`")?;
        let &[rows, columns] = tensor.shape.as_slice() else {
            return Err(format!("features of shape {:?}; expected [rows, columns]", tensor.shape));
        };
        if tensor.dtype != Dtype::F16 || columns == 0 || tensor.data_offsets.0 != 0 {
            return Err(format!("{:?} {:?}; expected F16 alone", tensor.dtype, tensor.shape));
        }
        let expected = (rows as u64).checked_mul(columns as u64).and_then(|it| it.checked_mul(2));
        let found = length - 8 - header;
        let expected = expected.filter(|expected| *expected == found).ok_or_else(|| {
            format!("{found} bytes of values for {rows} slices of {columns} features")
        })?;
        let mut bytes = Vec::with_capacity(expected as usize);
        file.take(expected).read_to_end(&mut bytes).map_err(text)?;
        let (pairs, _) = bytes.as_chunks::<2>();
        let values: Vec<f16> = pairs.iter().map(|&pair| f16::from_le_bytes(pair)).collect();
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(format!("slice {} has a feature that is not finite", at / columns));
        }
        Ok(Self { columns, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_off_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        let mut features = SliceFeatures::zeros(3, 5);
        features.set(1, &[0.5, -2.0, 1e9, f32::MIN, 0.0]);
        features.write(&path).unwrap();
        let read = SliceFeatures::read(&path).unwrap();
        assert_eq!((read.rows(), read.columns()), (3, 5));
        assert_eq!(read.row(1).collect::<Vec<_>>(), [0.5, -2.0, 65504.0, -65504.0, 0.0]);
        assert_eq!(read, features);

        // The format is safetensors' own, alignment too.
        let bytes = std::fs::read(&path).unwrap();
        let view = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(view.tensor("features").unwrap().shape(), [3, 5]);

        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            SliceFeatures::read(&path).unwrap_err().to_string()
        };
        assert!(refused(&bytes[..bytes.len() - 1]).contains("29 bytes of values for 3 slices"));
        assert!(refused(&bytes[..20]).contains("a header of"), "{}", refused(&bytes[..20]));
        assert!(refused(&[255; 64]).contains("a header of"));
        let infinite = [&bytes[..bytes.len() - 2], &f16::INFINITY.to_le_bytes()].concat();
        assert!(refused(&infinite).contains("slice 2"));
    }
}
