//! A series as a volume of HU.

use std::io::{self, Write};
use std::path::Path;

use hemora_ct::{GridError, GridImage, StackGrid, Turn};
use hemora_io::{Reader, VolumeFrame, VolumeWriter, Voxel};

use super::image::{NoImage, read};
use super::kept::{KeptImage, KeptSeries};
use super::pixels::HuImage;

/// Fewer slices show nothing in coronal and sagittal images.
const FEWEST: usize = 4;

/// What lies in a gap between slices: air, HU.
const AIR: i16 = -1000;

/// Quick: a volume is as large as its series, and somebody waits for it.
const LEVEL: u32 = 1;

impl KeptSeries {
    fn grid(&self) -> Result<StackGrid, GridError> {
        let slices = self.shown.slices.iter().zip(&self.images).enumerate();
        let image = |(index, (slice, image)): (usize, (_, &KeptImage))| -> GridImage {
            let slice: &crate::http::types::ViewSlice = slice;
            // Turned twice, rows and columns are what they were.
            let stored = Turn::upright(image.plane).size([slice.rows, slice.columns]);
            (index, stored, image.plane)
        };
        StackGrid::new(&slices.map(image).collect::<Vec<_>>(), usize::MAX)
    }
}

/// Why no coronal and sagittal images can be made of a series; `None` if they can.
pub(crate) fn no_volume(series: &KeptSeries) -> Option<String> {
    let count = series.images.len();
    if count < FEWEST {
        let noun = if count == 1 { "slice" } else { "slices" };
        return Some(format!("it has only {count} {noun}"));
    }
    match series.grid() {
        Ok(grid) if grid.shown.len() < FEWEST => {
            Some("its slices lie at one position, or nearly so".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// A volume that is to be written: the stored images from the lowest to the highest, at the least distance
/// that two of them have; between slices that are further apart the nearest stands, and in gaps air.
pub(crate) struct NewHuVolume {
    grid: StackGrid,
    /// For each slice of the series its SOPInstanceUID and where its image is.
    images: Vec<(String, KeptImage)>,
}

impl NewHuVolume {
    /// # Errors
    /// Why the series makes no volume.
    pub(crate) fn new(series: &KeptSeries) -> Result<Self, GridError> {
        let grid = series.grid()?;
        let names = series.shown.slices.iter().map(|slice| slice.sop_instance_uid.clone());
        Ok(Self { grid, images: names.zip(series.images.iter().cloned()).collect() })
    }

    /// Whether all its files are there.
    pub(crate) fn is_there(&self, folder: &Path) -> bool {
        self.images.iter().all(|(_, image)| image.path(folder).exists())
    }

    /// Writes it as NIfTI-1 in gzip, holding one slice at a time.
    ///
    /// # Errors
    /// If an image cannot be read, or of the writer.
    pub(crate) fn write(&self, reader: &Reader, folder: &Path, to: impl Write) -> io::Result<()> {
        let [rows, columns] = self.grid.stored;
        let frame = VolumeFrame {
            size: [columns, rows, self.grid.shown.len()],
            voxel: Voxel::I16,
            slope: 1.0,
            patient_from_voxel: self.grid.patient_from_voxel,
        };
        let mut writer = VolumeWriter::new(to, &frame, LEVEL)?;
        let air: Vec<u8> = AIR.to_le_bytes().repeat(rows * columns);
        let mut last: Option<(usize, Vec<u8>)> = None;
        for shown in &self.grid.shown {
            let Some(index) = *shown else {
                writer.write(&air)?;
                continue;
            };
            if last.as_ref().is_none_or(|(at, _)| *at != index) {
                let (name, image) = &self.images[index];
                let slice = read(reader, folder, image, name).map_err(NoImage::into_io)?;
                last = Some((index, HuImage::new(&slice).bytes()));
            }
            if let Some((_, voxels)) = &last {
                writer.write(voxels)?;
            }
        }
        writer.finish().map(|_| ())
    }
}
