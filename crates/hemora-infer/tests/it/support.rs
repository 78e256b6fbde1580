//! A small network, studies on disk, and where peers and shared data are.

use std::path::{Path, PathBuf};

use hemora_ct::{ImagePlane, LABEL_COUNT, Label, Slice};
use hemora_infer::{EngineKind, LoadedModel};
use hemora_io::{NewSlice, PixelStorage, write_slice};
use hemora_model::{Bundle, Member, MemberNetworks};
use hemora_nn::{Conv, Graph, GraphBuilder, Init, Op, Padding, Tensor, Weights, onnx};
pub use hemora_testing::bundles::{SIZE, calibration, info, member, operating_point};
pub use hemora_testing::{onnxruntime, python as peers_python, shared};

/// Orientation of axial slices.
pub const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
/// Orientation of coronal slices.
pub const CORONAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0];

fn conv(channels: usize, kernel: usize, stride: usize, groups: usize) -> Conv {
    let (padding, init) = (Padding::Same, Init::HeNormal);
    Conv { channels, kernel, stride, padding, groups, bias: true, init }
}

/// A small convolutional network with every kind of layer of EfficientNet-Lite, `units` outputs.
pub fn small_graph(units: usize, sigmoid: bool) -> Graph {
    let (mut builder, input) = GraphBuilder::new("small", [3, SIZE, SIZE]).unwrap();
    let stem = builder.conv("stem", input, conv(8, 3, 2, 1)).unwrap();
    let stem = builder.relu6(stem).unwrap();
    let deep = builder.conv("depthwise", stem, conv(8, 5, 1, 8)).unwrap();
    let deep = builder.relu6(deep).unwrap();
    let sum = builder.add("sum", Op::Add, &[stem, deep]).unwrap();
    let head = builder.conv("head", sum, conv(12, 1, 2, 1)).unwrap();
    let head = builder.relu(head).unwrap();
    builder.mark_features(head);
    let pooled = builder.add("pool", Op::GlobalAveragePool, &[head]).unwrap();
    let logits = builder.linear("classifier", pooled, units, Init::GlorotUniform).unwrap();
    if sigmoid {
        builder.add("out", Op::Sigmoid, &[logits]).unwrap();
    }
    builder.finish()
}

/// Weights that look random and always are the same.
pub fn pseudo_random_weights(graph: &Graph) -> Weights {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut weights = Weights::default();
    for parameter in graph.parameters() {
        let scale = 2.0 / (parameter.fans().0 as f32).sqrt();
        let values = (0..parameter.len())
            .map(|_| {
                // xorshift64, Marsaglia 2003.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * scale
            })
            .collect();
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    weights
}

/// The small network as an ONNX model.
pub fn small_onnx() -> Vec<u8> {
    let graph = small_graph(LABEL_COUNT, true);
    onnx::write(&graph, &pseudo_random_weights(&graph)).unwrap()
}

/// An image that looks random and depends on `seed`.
pub fn image(seed: usize) -> Vec<f32> {
    (0..3 * SIZE * SIZE)
        .map(|index| ((index * 31 + seed * 7919) % 997) as f32 / 498.5 - 1.0)
        .collect()
}

/// A network that sees bright (white in the brain window) tissue as hemorrhage: each label's
/// logit is its weight times the mean brightness, minus 3.
pub fn brightness_bundle(folder: &Path) -> Bundle {
    let (mut builder, input) = GraphBuilder::new("brightness", [3, SIZE, SIZE]).unwrap();
    let grey = builder.conv("grey", input, conv(1, 1, 1, 1)).unwrap();
    let grey = builder.relu(grey).unwrap();
    builder.mark_features(grey);
    let pooled = builder.add("pool", Op::GlobalAveragePool, &[grey]).unwrap();
    let logits = builder.linear("classifier", pooled, LABEL_COUNT, Init::GlorotUniform).unwrap();
    builder.add("out", Op::Sigmoid, &[logits]).unwrap();
    let graph = builder.finish();
    let mut weights = Weights::default();
    let mut set = |name: &str, shape: &[usize], values: &[f32]| {
        weights.insert(name, Tensor { shape: shape.to_vec(), values: values.to_vec() });
    };
    // The recipe gives −1 to 1 in three equal channels: 0 to 1 again.
    set("grey.weight", &[1, 3, 1, 1], &[0.5 / 3.0; 3]);
    set("grey.bias", &[1], &[0.5]);
    let mut by_label = [2.0; LABEL_COUNT];
    by_label[Label::Epidural.index()] = -1.0;
    by_label[Label::Subdural.index()] = 8.0;
    by_label[Label::Any.index()] = 10.0;
    set("classifier.weight", &[LABEL_COUNT, 1], &by_label);
    set("classifier.bias", &[LABEL_COUNT], &[-3.0; LABEL_COUNT]);
    let onnx = onnx::write(&graph, &weights).unwrap();
    Bundle::write(&folder.join("brightness.hemora"), &info(), onnx, "# Card\n").unwrap()
}

/// A network in the built-in engine.
pub fn loaded(bundle: &Bundle) -> LoadedModel {
    LoadedModel::load(EngineKind::Tract, bundle.clone(), None).unwrap()
}

/// The first member of a bundle, and its networks.
pub fn first(bundle: &Bundle) -> (&Member, &MemberNetworks) {
    bundle.members().next().unwrap()
}

/// The network of slices of a bundle of one.
pub fn slices(bundle: &Bundle) -> Vec<u8> {
    first(bundle).1.slices.clone()
}

/// One slice to write: identifiers, orientation, position, and how many of the 64 × 64 pixels are
/// bright, row by row from the top.
pub struct NewFile<'a> {
    pub sop: &'a str,
    pub series: &'a str,
    pub study: &'a str,
    pub orientation: [f64; 6],
    pub position: [f64; 3],
    pub bright: usize,
}

impl NewFile<'_> {
    /// Writes the slice below `folder` and returns its path.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let hu = (0..64 * 64).map(|index| if index < self.bright { 90.0 } else { -50.0 }).collect();
        let plane = ImagePlane::new(self.position, self.orientation, Some([0.5, 0.5])).unwrap();
        let slice = Slice::new(64, 64, hu, Some(plane)).unwrap();
        let path = folder.join(format!("{}.dcm", self.sop));
        let new = NewSlice {
            sop_instance_uid: self.sop,
            series_instance_uid: self.series,
            study_instance_uid: self.study,
            patient_id: "patient",
            series_description: "head",
            instance_number: 1,
            storage: PixelStorage::Signed16 { intercept: 0 },
            slice: &slice,
        };
        write_slice(&path, &new).unwrap();
        path
    }
}
