//! Tests of the training: the program on small data, and the networks beside timm, Keras and PyTorch.

mod support;

mod dense;
mod gather;
mod joint;
mod options;
mod parity;
mod parity_sequence;
mod partial;
mod pointing;
mod prepared;
mod progress;
mod ranks;
mod resume;
mod sequence;
mod teachers;
