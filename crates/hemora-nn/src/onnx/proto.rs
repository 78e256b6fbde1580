//! The part of the ONNX protocol buffers that is written and read here.
//!
//! Fields, their numbers and their encoding are those of onnx.proto (github.com/onnx/onnx,
//! Apache-2.0), which is proto2: lists of numbers are packed only where it says so, and an optional
//! number is written whenever it is set, 0 too. Strict readers such as rten refuse anything else.
//! Decoding accepts lists packed or not, as proto2 and proto3 writers both exist. Written by hand
//! because generating the types would ask every builder of Hemora for `protoc`.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(string, tag = "2")]
    pub producer_name: String,
    #[prost(string, tag = "3")]
    pub producer_version: String,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSet {
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// AttributeProto.AttributeType: 1 float, 2 int, 3 string, 7 ints.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

/// TensorProto.DataType FLOAT.
pub(super) const FLOAT: i32 = 1;
/// TensorProto.DataType FLOAT16.
pub(super) const FLOAT16: i32 = 10;
/// TensorProto.DataType INT64.
pub(super) const INT64: i32 = 7;

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(float, repeated, packed = "true", tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorType {
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<ShapeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    #[prost(oneof = "DimensionValue", tags = "1, 2")]
    pub value: Option<DimensionValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum DimensionValue {
    #[prost(int64, tag = "1")]
    Value(i64),
    #[prost(string, tag = "2")]
    Name(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints() -> Attribute {
        Attribute { name: "k".into(), ints: vec![3, 3], kind: 7, ..Attribute::default() }
    }

    /// The bytes are those of `onnx.helper.make_attribute` and `make_tensor` of onnx 1.23.2.
    #[test]
    fn bytes_are_those_of_the_official_library() {
        let zero = |kind| Attribute { name: "k".into(), kind, ..Attribute::default() };
        for (attribute, expected) in [
            (ints(), &b"\x0a\x01k\x40\x03\x40\x03\xa0\x01\x07"[..]),
            (Attribute { i: Some(0), ..zero(2) }, b"\x0a\x01k\x18\x00\xa0\x01\x02"),
            (Attribute { f: Some(0.0), ..zero(1) }, b"\x0a\x01k\x15\0\0\0\0\xa0\x01\x01"),
        ] {
            assert_eq!(attribute.encode_to_vec(), expected, "{attribute:?}");
        }
        let tensor = TensorProto {
            dims: vec![2],
            data_type: FLOAT,
            float_data: vec![1.0, 2.0],
            name: "t".into(),
            raw_data: Vec::new(),
        };
        let expected = b"\x08\x02\x10\x01\x22\x08\0\0\x80\x3f\0\0\0\x40\x42\x01t";
        assert_eq!(tensor.encode_to_vec(), expected);
    }

    #[test]
    fn packed_lists_are_read_too() {
        let packed = b"\x0a\x01k\x42\x02\x03\x03\xa0\x01\x07";
        assert_eq!(Attribute::decode(&packed[..]).unwrap(), ints());
        let dims = b"\x0a\x02\x02\x03\x10\x01";
        assert_eq!(TensorProto::decode(&dims[..]).unwrap().dims, [2, 3]);
    }
}
