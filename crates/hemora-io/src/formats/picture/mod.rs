//! Pictures of slices, PNG and JPEG: grey values of a window that somebody must declare.

mod format;
mod image;
mod jpeg;
mod png;
mod window;

pub(crate) use format::Pictures;
pub use jpeg::{JpegError, JpegPixels, jpeg_channels, read_jpeg, read_jpeg_pixels};
pub use png::{MAX_SIDE, PngError, PngPixels, read_png, read_png_pixels};
pub use window::{PictureWindow, PictureWindowError};
