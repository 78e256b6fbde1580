//! ONNX models with their large weights in 16 bits.

use half::f16;
use prost::Message;

use super::operations::int;
use super::proto::{FLOAT, FLOAT16, GraphProto, Model, NodeProto, TensorProto};
use super::read::OnnxError;

/// Values from which on a constant is large. Smaller ones are little of a model, and among them are
/// biases and last layers, of which every digit tells.
const LARGE: usize = 1 << 14;

/// The same model with its large weights rounded to 16-bit floats (IEEE 754 binary16), which take half of the
/// space; it widens them itself when it is loaded and computes in 32 bits as before. Weights that 16 bits
/// cannot hold, being too large or no numbers, stay as they are, and so does a model that has been halved.
///
/// # Errors
/// [`OnnxError`] if the bytes are not an ONNX model, or one with parts that [`super::write`] does not write
/// and that would be lost.
pub fn halved(bytes: &[u8]) -> Result<Vec<u8>, OnnxError> {
    let mut model = Model::decode(bytes)?;
    if model.encode_to_vec() != bytes {
        return Err(OnnxError::OtherWriter(model.producer_name));
    }
    let graph = model.graph.as_mut().ok_or(OnnxError::NoGraph)?;
    let mut widened: Vec<NodeProto> = graph.initializer.iter_mut().filter_map(halve).collect();
    widened.append(&mut graph.node);
    graph.node = widened;
    Ok(model.encode_to_vec())
}

/// Halves a constant, and gives the operation that widens it again to a value of its old name.
fn halve(tensor: &mut TensorProto) -> Option<NodeProto> {
    let (values, rest) = tensor.raw_data.as_chunks::<4>();
    if tensor.data_type != FLOAT || values.len() < LARGE || !rest.is_empty() {
        return None;
    }
    let halves: Vec<f16> =
        values.iter().map(|&bytes| f16::from_f32(f32::from_le_bytes(bytes))).collect();
    if !halves.iter().all(|half| half.is_finite()) {
        return None;
    }
    tensor.raw_data = halves.into_iter().flat_map(f16::to_le_bytes).collect();
    tensor.data_type = FLOAT16;
    let name = tensor.name.clone();
    tensor.name = format!("{name}.half");
    Some(NodeProto {
        input: vec![tensor.name.clone()],
        output: vec![name.clone()],
        name: format!("{name}.widened"),
        op_type: "Cast".to_owned(),
        attribute: vec![int("to", i64::from(FLOAT))],
    })
}

/// The values of a constant that [`halved`] wrote under another name, if `name` is what is widened from it.
pub(super) fn widened(graph: &GraphProto, name: &str) -> Option<(Vec<i64>, Vec<f32>)> {
    let gives = |node: &&NodeProto| node.output.first().is_some_and(|output| output == name);
    let cast = graph.node.iter().find(gives).filter(|node| node.op_type == "Cast")?;
    let from = cast.input.first()?;
    let tensor = graph.initializer.iter().find(|tensor| tensor.name == *from)?;
    let (halves, rest) = tensor.raw_data.as_chunks::<2>();
    let values = halves.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32());
    (tensor.data_type == FLOAT16 && rest.is_empty())
        .then(|| (tensor.dims.clone(), values.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(name: &str, values: &[f32]) -> TensorProto {
        TensorProto {
            dims: vec![values.len() as i64],
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            float_data: Vec::new(),
        }
    }

    #[test]
    fn only_large_weights_that_16_bits_can_hold_are_halved() {
        let large = vec![0.1; LARGE];
        let mut beyond = large.clone();
        beyond[7] = 70_000.0;
        let constants = [("large", &large[..]), ("small", &large[1..]), ("beyond", &beyond)]
            .map(|(name, values)| constant(name, values));
        let graph = GraphProto { initializer: constants.to_vec(), ..GraphProto::default() };
        let model = Model { graph: Some(graph), ..Model::default() };
        let halved = Model::decode(&halved(&model.encode_to_vec()).unwrap()[..]).unwrap();
        let graph = halved.graph.unwrap();
        let names: Vec<&str> = graph.initializer.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["large.half", "small", "beyond"]);
        assert_eq!(graph.initializer[1..], constants[1..]);
        assert_eq!(graph.initializer[0].raw_data.len(), 2 * LARGE);
        let [cast] = &graph.node[..] else { panic!("{:?}", graph.node) };
        assert_eq!((cast.op_type.as_str(), cast.output[0].as_str()), ("Cast", "large"));
        let (_, values) = widened(&graph, "large").unwrap();
        assert!(values.iter().all(|value| (value - 0.1).abs() < 5e-5 && *value != 0.1));
    }

    #[test]
    fn what_cannot_be_written_again_is_refused() {
        let mut bytes = Model { producer_name: "other".into(), ..Model::default() }.encode_to_vec();
        // `doc_string`, field 6.
        bytes.extend([0x32, 1, b'x']);
        let error = halved(&bytes).unwrap_err();
        assert!(error.to_string().contains("names `other` as its producer"), "{error}");
        assert!(matches!(halved(b"no model"), Err(OnnxError::Format(_))));
        assert!(matches!(halved(&[]), Err(OnnxError::NoGraph)));
    }
}
