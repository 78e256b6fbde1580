//! DCT-based JPEG with 12 bits (ITU-T T.81 processes 4, 6 & 8 and 10 & 12, with Huffman codes):
//! extended sequential and progressive frames of one component.
//!
//! DICOM keeps these for 12-bit images; no maintained pure-Rust codec that builds fast reads them.

mod frame;
mod huffman;
mod inverse;
mod scan;

pub(super) use frame::{decode, is_twelve_bit_dct};
