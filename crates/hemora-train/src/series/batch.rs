//! Windows of series as tensors.

use hemora_ct::LABEL_COUNT;
use hemora_data::Window;
use tch::{Device, Tensor};

use super::set::SequenceSet;

/// Windows of one length as tensors.
pub struct Batch {
    /// `[windows, slices, columns]`.
    pub inputs: Tensor,
    /// Labels of the slices that have them, `[labelled, 6]`.
    pub targets: Tensor,
    /// Which those are, of all slices of all windows one after the other.
    pub labelled: Tensor,
}

impl Batch {
    /// The batch of some windows of one length; `None` if no slice has labels, or there are too few
    /// slices for the statistics of batch norms.
    pub fn new(set: &SequenceSet, windows: &[Vec<usize>], device: Device) -> Option<Self> {
        let (mut inputs, mut targets, mut labelled) = (Vec::new(), Vec::new(), Vec::new());
        for (position, row) in windows.iter().flatten().enumerate() {
            if let Some(labels) = set.labels(*row) {
                targets.extend(labels);
                labelled.push(position as i64);
            }
        }
        for rows in windows {
            inputs.extend(set.values(rows));
        }
        let length = windows.first().map_or(0, Vec::len);
        if labelled.is_empty() || windows.len() * length < Window::FEWEST_OF_BATCH {
            return None;
        }
        let shape = [windows.len(), length, set.columns()].map(|size| size as i64);
        Some(Self {
            inputs: Tensor::from_slice(&inputs).reshape(shape).to(device),
            targets: Tensor::from_slice(&targets).reshape([-1, LABEL_COUNT as i64]).to(device),
            labelled: Tensor::from_slice(&labelled).to(device),
        })
    }

    /// The scores `[labelled, 6]` of `[windows, slices, 6]`.
    pub fn scores(&self, logits: &Tensor) -> Tensor {
        logits.reshape([-1, LABEL_COUNT as i64]).index_select(0, &self.labelled)
    }
}

#[cfg(test)]
mod tests {
    use super::super::set::tests::set;
    use super::*;

    #[test]
    fn batches_know_which_slices_have_labels() {
        let mut set = set(&[4, 4], 1);
        set.forget_labels(5);
        let windows = [vec![0, 1, 2, 3], vec![7, 6, 5, 4]];
        let batch = Batch::new(&set, &windows, Device::Cpu).unwrap();
        assert_eq!((batch.inputs.size(), batch.targets.size()), (vec![2, 4, 30], vec![7, 6]));
        assert_eq!(Vec::<i64>::try_from(&batch.labelled).unwrap(), [0, 1, 2, 3, 4, 5, 7]);
        let logits = Tensor::arange(48, (tch::Kind::Float, Device::Cpu)).reshape([2, 4, 6]);
        assert_eq!(batch.scores(&logits).double_value(&[6, 0]), 42.0);
        assert!(Batch::new(&set, &windows[..1], Device::Cpu).is_none(), "four slices");
    }
}
