//! JPEG XL (ISO/IEC 18181-1).

use std::io::Cursor;

use jxl_oxide::{AllocTracker, JxlImage};

use super::{FrameInfo, StoredPixels, broken, check, from_words};
use crate::{ReadError, SliceHeader};

const CODEC: &str = "JPEG XL";
/// Most memory that the decoder may take for a pixel: grids of 32 bits, transforms and copies.
const BYTES_PER_PIXEL: usize = 64;
/// And for what does not grow with the image.
const FIXED_BYTES: usize = 16 << 20;

pub(super) fn decode(
    frame: &[u8],
    header: &SliceHeader,
) -> Result<StoredPixels<'static>, ReadError> {
    let decoded = std::panic::catch_unwind(|| render(frame, header));
    decoded.unwrap_or_else(|_| Err(broken(CODEC, "values out of range")))
}

fn render(frame: &[u8], header: &SliceHeader) -> Result<StoredPixels<'static>, ReadError> {
    let reason = |error: Box<dyn std::error::Error + Send + Sync>| broken(CODEC, error.to_string());
    let pixels = header.rows * header.columns;
    let tracker = AllocTracker::with_limit(pixels * BYTES_PER_PIXEL + FIXED_BYTES);
    let image = JxlImage::builder().alloc_tracker(tracker).read(Cursor::new(frame));
    let image = image.map_err(reason)?;
    let metadata = &image.image_header().metadata;
    let grey = image.pixel_format().channels();
    let info = FrameInfo {
        rows: image.height() as usize,
        columns: image.width() as usize,
        components: grey,
        bits: metadata.bit_depth.bits_per_sample() as usize,
    };
    check(CODEC, info, header)?;
    let rendered = image.render_frame(0).map_err(reason)?;
    let mut stream = rendered.stream();
    let highest = ((1u32 << info.bits.min(16)) - 1) as f32;
    let mut samples = vec![0f32; pixels];
    if stream.write_to_buffer(&mut samples) != pixels {
        return Err(broken(CODEC, "fewer pixels than the image has"));
    }
    let stored = |sample: &f32| (sample * highest).round().clamp(0.0, highest) as u16;
    Ok(from_words(&samples.iter().map(stored).collect::<Vec<_>>()))
}
