//! Associations with real peers and with bad ones.

mod bounds;
mod dcmtk;
mod malformed;
mod orthanc;
mod pynetdicom;
mod raw;
mod recorder;
mod scu;
mod support;
