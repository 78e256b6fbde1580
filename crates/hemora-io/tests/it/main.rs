//! The crate from outside: files in, Hounsfield units and series out.

mod archives;
mod bad_input;
mod choosing;
mod codecs;
mod collecting;
mod dcmtk;
mod encodings;
mod frames;
mod geometry;
mod hostile;
mod identity;
mod jpeg_lossless;
mod levels;
mod memory;
mod passes;
mod peers;
mod people;
mod pictures;
mod raw;
mod repair;
mod round_trip;
mod series_properties;
mod shared;
mod tar_archives;
mod volumes;
mod written_volumes;
