//! Why a file is not read.

use crate::Source;

/// Why a file or archive entry is not used; the caller names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Object storage refused, or cannot be asked.
    #[error("{0}")]
    Object(String),
    /// An archive in object storage.
    #[error(
        "an archive in object storage is not opened; copy it to a disk, or unpack it into the bucket"
    )]
    RemoteArchive,
    /// There is nothing at the path.
    #[error("does not exist; check the path")]
    Missing,
    /// The path is a device, a pipe or a socket.
    #[error("is neither a file nor a folder; give a DICOM file, a folder or an archive")]
    NotAFile,
    /// A folder or an archive without files.
    #[error("holds no file; expected DICOM files")]
    Empty,
    /// A file that was named as a DICOM file is none.
    #[error(
        "not a DICOM file: found neither the mark DICM at byte 128 nor a data set at the start; \
         export it again as DICOM"
    )]
    NotDicom,
    /// A file found in a folder or archive that is not DICOM and does not claim to be.
    #[error("not a DICOM file; left out")]
    OtherFile,
    /// An archive inside an archive, or in memory.
    #[error("an archive inside an archive or in memory is not opened; unpack it first")]
    NestedArchive,
    /// The file or entry is larger than any CT image.
    #[error("larger than the limit of {limit} bytes for one image")]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// The archive or an entry of it is damaged, or uses something that is not supported.
    #[error("archive cannot be read: {0}; unpack it with another tool")]
    Archive(String),
    /// The entry needs a password.
    #[error("archive entry is encrypted; unpack the archive with its password first")]
    Encrypted,
    /// The entry's name leaves the archive's folder.
    #[error(
        "archive entry has an absolute name or one with “..”, which no honest tool writes; \
         rename it to use it"
    )]
    UnsafeName,
    /// A file in gzip is damaged.
    #[error("cannot be inflated: {0}; get the file again from its source")]
    Gzip(std::io::Error),
    /// The structure of the data set is broken.
    #[error("broken DICOM structure at byte {offset}: {what}; get the file again from its source")]
    Malformed {
        /// Offset in the file, or in the data set once inflated.
        offset: u64,
        /// What was found.
        what: &'static str,
    },
    /// The file ends early.
    #[error("cut off: ends inside {inside}; get the file again from its source")]
    Truncated {
        /// Where it ends.
        inside: &'static str,
    },
    /// The pixel data end before the last pixel.
    #[error(
        "cut off: pixel data have {found} bytes, {expected} were expected; \
         get the file again from its source"
    )]
    PixelsCutOff {
        /// Bytes that the header asks for.
        expected: u64,
        /// Bytes present.
        found: u64,
    },
    /// An image of another modality.
    #[error("modality is {0:?}, expected CT; left out")]
    OtherModality(String),
    /// A DICOM object that is not a CT image, such as a DICOMDIR.
    #[error("a DICOM object of class {0}, expected a CT image; left out")]
    NotCtImage(String),
    /// An attribute without which the image cannot be used.
    #[error("{0} is missing; a CT image must have it")]
    MissingAttribute(&'static str),
    /// An attribute whose value cannot be used.
    #[error("{attribute} is {found}, expected {expected}")]
    BadAttribute {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        found: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// More than one frame where one is expected: in an object that is no enhanced CT, or where
    /// an object was named instead of one of its frames.
    #[error("{0} frames in one object, expected 1; name a frame, or convert it to single frames")]
    MultiFrame(usize),
    /// A frame that the object does not have.
    #[error("no frame {number}: the object has {frames}")]
    NoFrame {
        /// The frame that was named, from 1.
        number: usize,
        /// Frames of the object.
        frames: usize,
    },
    /// An enhanced object that does not say where each of its frames lies.
    #[error(
        "{frames} frames with {groups} per-frame functional groups; get the file again, or convert \
         it to single-frame CT images"
    )]
    FunctionalGroups {
        /// Frames of the object.
        frames: usize,
        /// Items of PerFrameFunctionalGroupsSequence.
        groups: usize,
    },
    /// A colour image.
    #[error("{samples} samples per pixel, {photometric:?}; expected one grey sample per pixel")]
    Colour {
        /// SamplesPerPixel.
        samples: u16,
        /// PhotometricInterpretation.
        photometric: String,
    },
    /// The encoding of the pixels is not supported.
    #[error(
        "transfer syntax {uid} ({name}) is not supported; convert the file to Explicit VR Little \
         Endian, for example with gdcmconv or dcmdjpeg"
    )]
    UnsupportedTransferSyntax {
        /// TransferSyntaxUID.
        uid: String,
        /// Its name.
        name: String,
    },
    /// The compressed pixels are broken.
    #[error("compressed pixels ({codec}) cannot be decoded: {reason}; get the file again")]
    Decode {
        /// The codec.
        codec: &'static str,
        /// What the decoder found.
        reason: String,
    },
    /// A file in a format of volumes that is none that can be used.
    #[error("not a usable {format} volume: {reason}")]
    Volume {
        /// Name of the format, such as `NIfTI`.
        format: &'static str,
        /// What was found, and what was expected.
        reason: String,
    },
    /// A picture that cannot be used.
    #[error("not a usable picture of a slice: {0}; expected 8-bit grey")]
    Picture(String),
    /// A picture, of which nobody said in which window it was made.
    #[error(
        "a picture has grey values, not HU; to use it, declare the window that it was made with \
         (for instance --window 40/80)"
    )]
    UndeclaredWindow {
        /// Whether the user named it, and so expects it to be read.
        named: bool,
    },
    /// The same image was found before.
    #[error("the same image as {of}; left out")]
    Duplicate {
        /// The one that is used.
        of: Source,
    },
}

impl ReadError {
    /// Whether something is broken or not supported. `false` if the file simply is not a CT image
    /// or was found before: a run that left such files out has done all that was asked.
    pub fn is_failure(&self) -> bool {
        !matches!(
            self,
            Self::OtherFile
                | Self::OtherModality(_)
                | Self::NotCtImage(_)
                | Self::UndeclaredWindow { named: false }
                | Self::Duplicate { .. }
        )
    }
}
