//! Volumes to NIfTI-1 files (nifti1.h) in gzip.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use hemora_base::write_whole;

/// Where the voxels begin: after the header and four bytes that say that nothing extends it.
const VOXELS: usize = 352;

/// A volume of bytes to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVolume {
    /// Voxels along the three axes, the first fastest: columns, rows and slices of a stack.
    pub size: [usize; 3],
    /// A byte for each voxel.
    pub voxels: Vec<u8>,
    /// What a byte stands for is `slope` times its value.
    pub slope: f32,
    /// Patient coordinates (DICOM's: left, back, head; mm) of a voxel: three rows of three factors of
    /// its indices and what is added.
    pub patient_from_voxel: [[f64; 4]; 3],
}

/// Writes a volume as NIfTI-1 in gzip, whole or not at all. Its name should end with `.nii.gz`. The same
/// volume always gives the same bytes. The folder must be there.
///
/// # Errors
/// As of [`VolumeWriter`]; else what the operating system reports.
pub fn write_volume(path: &Path, volume: &NewVolume) -> io::Result<()> {
    let NewVolume { size, slope, patient_from_voxel, .. } = *volume;
    let frame = VolumeFrame { size, voxel: Voxel::U8, slope, patient_from_voxel };
    frame.header()?;
    write_whole(path, |file| {
        let mut writer = VolumeWriter::new(file, &frame, 6)?;
        writer.write(&volume.voxels)?;
        writer.finish().map(|_| ())
    })
}

/// How a voxel is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voxel {
    /// A byte.
    U8,
    /// A signed integer of 16 bits, little endian.
    I16,
}

impl Voxel {
    /// DT_UINT8 or DT_INT16, and the bits (nifti1.h).
    fn code_and_bits(self) -> [i16; 2] {
        match self {
            Self::U8 => [2, 8],
            Self::I16 => [4, 16],
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
        }
    }
}

/// A volume without its voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeFrame {
    /// As [`NewVolume::size`].
    pub size: [usize; 3],
    /// How voxels are stored.
    pub voxel: Voxel,
    /// What a voxel stands for is `slope` times its value.
    pub slope: f32,
    /// As [`NewVolume::patient_from_voxel`].
    pub patient_from_voxel: [[f64; 4]; 3],
}

/// Writes a volume as NIfTI-1 in gzip piece by piece, so that it need not be held.
pub struct VolumeWriter<W: Write> {
    encoder: GzEncoder<W>,
    /// Bytes of voxels that are still to come.
    missing: usize,
}

impl<W: Write> VolumeWriter<W> {
    /// Begins a volume; `level` 1 (quick) to 9 (small) is that of gzip.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if an axis has no voxels or more than 32767, or a number is not
    /// finite; else what the writer reports.
    pub fn new(writer: W, frame: &VolumeFrame, level: u32) -> io::Result<Self> {
        let header = frame.header()?;
        let mut encoder = GzEncoder::new(writer, Compression::new(level.clamp(1, 9)));
        encoder.write_all(&header)?;
        // Three axes of at most 32767 fit.
        let missing = frame.size.iter().product::<usize>() * frame.voxel.bytes();
        Ok(Self { encoder, missing })
    }

    /// Adds voxels as they are stored, the first axis fastest.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if they are more than the volume has; else what the writer reports.
    pub fn write(&mut self, voxels: &[u8]) -> io::Result<()> {
        let Some(missing) = self.missing.checked_sub(voxels.len()) else {
            let (found, missing) = (voxels.len(), self.missing);
            return Err(refused(format!("{found} bytes of voxels where {missing} are missing")));
        };
        self.missing = missing;
        self.encoder.write_all(voxels)
    }

    /// Ends the volume.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if voxels are missing; else what the writer reports.
    pub fn finish(self) -> io::Result<W> {
        match self.missing {
            0 => self.encoder.finish(),
            missing => Err(refused(format!("{missing} bytes of voxels are missing"))),
        }
    }
}

fn refused(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem)
}

impl VolumeFrame {
    fn header(&self) -> io::Result<[u8; VOXELS]> {
        let dims: Vec<i16> = self.size.iter().filter_map(|&it| i16::try_from(it).ok()).collect();
        let (&[columns, rows, slices], true) = (dims.as_slice(), !self.size.contains(&0)) else {
            let [a, b, c] = self.size;
            return Err(refused(format!("{a} × {b} × {c} voxels; a NIfTI axis has 1 to 32767")));
        };
        let numbers = || self.patient_from_voxel.iter().flatten();
        if !self.slope.is_finite() || !numbers().all(|it| it.is_finite()) {
            return Err(refused("the volume's place or scale is not finite".to_owned()));
        }
        let mut header = [0; VOXELS];
        let mut set = |place: usize, bytes: &[u8]| {
            header[place..place + bytes.len()].copy_from_slice(bytes);
        };
        set(0, &348i32.to_le_bytes());
        for (index, dim) in [3, columns, rows, slices, 1, 1, 1, 1].into_iter().enumerate() {
            set(40 + 2 * index, &dim.to_le_bytes());
        }
        let [code, bits] = self.voxel.code_and_bits();
        set(70, &code.to_le_bytes());
        set(72, &bits.to_le_bytes());
        set(76, &1f32.to_le_bytes());
        for axis in 0..3 {
            let length = self.patient_from_voxel.iter().map(|row| row[axis].powi(2)).sum::<f64>();
            set(80 + 4 * axis, &(length.sqrt() as f32).to_le_bytes());
        }
        set(108, &(VOXELS as f32).to_le_bytes());
        set(112, &self.slope.to_le_bytes());
        // Millimetres.
        set(123, &[2]);
        // The matrix alone says where it lies, in the scanner's coordinates: it may be sheared, as that
        // of a tilted gantry is, for which a quaternion has no form.
        set(254, &1i16.to_le_bytes());
        // NIfTI counts to the right and to the front, DICOM to the left and to the back.
        for (row, (values, sign)) in
            self.patient_from_voxel.iter().zip([-1.0, -1.0, 1.0]).enumerate()
        {
            for (column, value) in values.iter().enumerate() {
                set(280 + 16 * row + 4 * column, &((sign * value) as f32).to_le_bytes());
            }
        }
        set(344, b"n+1\0");
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(size: [usize; 3]) -> VolumeFrame {
        let patient_from_voxel = [[0.5, 0.0, 0.0, 1.0], [0.0, 0.5, 0.0, 2.0], [0.0, 0.0, 5.0, 3.0]];
        VolumeFrame { size, voxel: Voxel::I16, slope: 1.0, patient_from_voxel }
    }

    #[test]
    fn what_no_file_can_hold_is_refused() {
        assert!(frame([2, 3, 4]).header().is_ok());
        let refused = |frame: VolumeFrame| frame.header().unwrap_err().to_string();
        assert!(refused(frame([2, 0, 4])).contains("2 × 0 × 4"));
        assert!(refused(frame([1, 1, 32768])).contains("32767"));
        let nowhere = VolumeFrame { patient_from_voxel: [[f64::NAN; 4]; 3], ..frame([1, 1, 1]) };
        assert!(refused(nowhere).contains("not finite"));
    }

    #[test]
    fn voxels_fill_the_volume() {
        let written = |bytes: usize| {
            let mut writer = VolumeWriter::new(Vec::new(), &frame([2, 3, 4]), 1)?;
            writer.write(&vec![7; bytes])?;
            writer.finish()
        };
        assert!(written(48).is_ok());
        assert!(written(47).unwrap_err().to_string().contains("1 bytes of voxels are missing"));
        assert!(written(49).unwrap_err().to_string().contains("49 bytes"));
    }
}
