//! Batches as tensors on a model's device.

use hemora_ct::LABEL_COUNT;
use hemora_data::Batch;
use tch::Tensor;

use crate::model::{Model, Task};

/// A batch's images `[N, C, S, S]` and targets `[N, 6]`.
pub fn to_tensors(batch: &Batch, model: &Model) -> (Tensor, Tensor) {
    let [channels, rows, columns] = model.graph().input_shape().map(|size| size as i64);
    let images = Tensor::from_slice(batch.inputs())
        .reshape([batch.len() as i64, channels, rows, columns])
        .to(model.device());
    (images, per_label(batch, batch.labels(), model))
}

/// 1 for each label of a task that is known and 0 for the others, `[N, labels]`; `None` where all are
/// known.
pub fn known(batch: &Batch, task: Task, model: &Model) -> Option<Tensor> {
    let some_unknown = batch.known().iter().any(|known| *known != 1.0);
    some_unknown.then(|| task.targets(&per_label(batch, batch.known(), model)))
}

/// How much each label of a task counts in the loss, `[N, labels]`; `None` where all count 1.
pub fn label_weights(batch: &Batch, task: Task, model: &Model) -> Option<Tensor> {
    let some_weighted = batch.label_weights().iter().any(|weight| *weight != 1.0);
    if !some_weighted {
        return known(batch, task, model);
    }
    let weights = Tensor::from_slice(batch.label_weights()).reshape([-1, 1]).to(model.device());
    Some(weights * task.targets(&per_label(batch, batch.known(), model)))
}

/// How much of each part of the images has each label of a task, and where that is known,
/// `[N, labels, side, side]`; `None` of a batch without maps.
pub fn map_targets(batch: &Batch, task: Task, model: &Model) -> Option<(Tensor, Tensor)> {
    let maps = batch.maps()?;
    let shape = [batch.len(), LABEL_COUNT, maps.side, maps.side].map(|size| size as i64);
    let tensor = |values: &[f32]| {
        task.targets(&Tensor::from_slice(values).reshape(shape).to(model.device()))
    };
    Some((tensor(maps.present), tensor(maps.known)))
}

fn per_label(batch: &Batch, values: &[f32], model: &Model) -> Tensor {
    let shape = [batch.len() as i64, LABEL_COUNT as i64];
    Tensor::from_slice(values).reshape(shape).to(model.device())
}
