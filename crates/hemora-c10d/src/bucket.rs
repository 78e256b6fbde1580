//! Many tensors as few flat ones: a collective costs a round trip, however small its tensor is.

use std::ops::Range;

use tch::{Device, Tensor};

/// Largest flat tensor, bytes; PyTorch's DistributedDataParallel has the same.
const LARGEST: usize = 25 << 20;

/// Flat copies on `device` of `tensors`, consecutive ones of one kind together.
pub fn flatten(tensors: &[Tensor], device: Device) -> Vec<(Range<usize>, Tensor)> {
    ranges(tensors, LARGEST)
        .into_iter()
        .map(|range| {
            let parts: Vec<Tensor> =
                tensors[range.clone()].iter().map(|tensor| tensor.detach().reshape([-1])).collect();
            (range, Tensor::cat(&parts, 0).to_device(device))
        })
        .collect()
}

/// Copies `flat` back into the tensors that it was made of.
pub fn restore(tensors: &[Tensor], flat: &Tensor) {
    let mut first = 0;
    for tensor in tensors {
        let length = tensor.numel() as i64;
        let part = flat.narrow(0, first, length).reshape(tensor.size());
        tensor.detach().copy_(&part);
        first += length;
    }
}

fn ranges(tensors: &[Tensor], largest: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, tensor) in tensors.iter().enumerate() {
        let size = tensor.numel() * tensor.kind().elt_size_in_bytes();
        match ranges.last_mut() {
            Some(last)
                if tensors[last.start].kind() == tensor.kind() && bytes + size <= largest =>
            {
                last.end = at + 1;
                bytes += size;
            }
            _ => {
                ranges.push(at..at + 1);
                bytes = size;
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    #[test]
    fn kinds_and_sizes_part_the_buckets() {
        let float = |length: i64| Tensor::zeros([length], (Kind::Float, Device::Cpu));
        let whole = Tensor::zeros([1], (Kind::Int64, Device::Cpu));
        let tensors = [float(2), float(2), float(1), whole, float(100)];
        assert_eq!(ranges(&tensors, 16), [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(ranges(&[], 16), []);
    }

    #[test]
    fn back_where_they_came_from() {
        let shape = [2i64, 3, 4, 5];
        let numbers = Tensor::arange(120, (Kind::Float, Device::Cpu)).reshape(shape);
        let layout = numbers.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
        let tensors = [layout, Tensor::from_slice(&[7f32]).reshape(&[] as &[i64])];
        let flat = flatten(&tensors, Device::Cpu);
        assert_eq!(flat.len(), 1);
        restore(&tensors, &(&flat[0].1 * 2.0));
        assert_eq!(tensors[0], numbers * 2.0);
        assert_eq!(tensors[1].double_value(&[]), 14.0);
    }
}
