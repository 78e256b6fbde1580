//! Weights that timm and torchvision saved, under the names and in the shapes of our graphs.
//!
//! Our networks have timm's names. What differs: a prefix that a wrapper put before all names, the
//! names of R. Cadene's SE-ResNeXt and of torchvision's first DenseNets, linear layers that are 1×1
//! convolutions here, and the number of channels of the input.

use std::collections::BTreeMap;

use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::channels::{image_weights, with_channels};
use crate::{Graph, Parameter, Tensor, Weights, WeightsError};

/// Why weights cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No weights, of another shape, or not finite.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Parameters of the network that the file does not have.
    #[error(
        "network `{network}` needs {count} tensors that the file does not have, such as `{name}`; \
         it has `{found}`: is it of this network?"
    )]
    Missing {
        /// The network.
        network: String,
        /// Number of them.
        count: usize,
        /// The first of them.
        name: String,
        /// A tensor that the file has.
        found: String,
    },
}

/// What was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The weights by our names. Those of the last layer are as they were, also where they are of
    /// another number of labels: training draws them afresh.
    pub weights: Weights,
    /// Names in the file and here, where they differ.
    pub renamed: Vec<(String, String)>,
    /// Names here of tensors that were brought into another shape.
    pub reshaped: Vec<String>,
    /// Names in the file of tensors that the network has no use for.
    pub unused: Vec<String>,
    /// Labels of the last layer, if not those of the graph.
    pub other_labels: Option<usize>,
    /// Whether the file has no last layer, as a backbone: training draws one.
    pub without_head: bool,
}

/// Takes the weights of `graph` from a safetensors file of timm or torchvision, in 32 or 16 bits. The
/// last layer may be absent as a whole.
///
/// # Errors
/// [`ImportError`] names the first tensor that is absent or does not fit.
pub fn import(graph: &Graph, bytes: &[u8]) -> Result<Imported, ImportError> {
    let mut tensors = read(bytes)?;
    let parameters = graph.parameters();
    let prefix = prefix(&parameters, &tensors);
    let mut imported = Imported {
        weights: Weights::default(),
        renamed: Vec::new(),
        reshaped: Vec::new(),
        unused: Vec::new(),
        other_labels: None,
        without_head: false,
    };
    let names: BTreeMap<String, String> = tensors
        .keys()
        .map(|name| (our_name(name.strip_prefix(&*prefix).unwrap_or(name)), name.clone()))
        .collect();
    let head = &graph.node(graph.classifier()).name;
    let is_head = |parameter: &Parameter| {
        parameter.name.strip_prefix(head.as_str()).is_some_and(|it| it.starts_with('.'))
    };
    let has = |parameter: &Parameter| names.contains_key(&parameter.name);
    // Half a last layer is a damaged file rather than a backbone.
    imported.without_head = !parameters.iter().any(|it| is_head(it) && has(it));
    let parameters: Vec<Parameter> =
        parameters.into_iter().filter(|it| !(imported.without_head && is_head(it))).collect();
    let lacks = |parameter: &&Parameter| !has(parameter);
    if let Some(first) = parameters.iter().find(lacks) {
        return Err(ImportError::Missing {
            network: graph.name().to_owned(),
            count: parameters.iter().filter(lacks).count(),
            name: first.name.clone(),
            found: tensors.keys().next().cloned().unwrap_or_else(|| "no tensor".to_owned()),
        });
    }
    let image_weights: Vec<String> = image_weights(graph).collect();
    for parameter in parameters {
        let theirs = &names[&parameter.name];
        let mut tensor = tensors.remove(theirs).expect("a name of the file");
        if tensor.values.iter().any(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite(theirs.clone()).into());
        }
        let shape = tensor.shape.clone();
        if image_weights.contains(&parameter.name) {
            tensor = with_channels(tensor, graph.input_shape()[0]);
        }
        if without_ones(&tensor.shape) == without_ones(&parameter.shape) {
            tensor.shape.clone_from(&parameter.shape);
        }
        if tensor.shape != parameter.shape {
            let same_inputs = tensor.shape.get(1..) == parameter.shape.get(1..);
            if !(is_head(&parameter) && same_inputs) {
                let (network, name) = (graph.name().to_owned(), theirs.clone());
                let expected = parameter.shape;
                let error = WeightsError::Shape { network, name, found: shape, expected };
                return Err(error.into());
            }
            imported.other_labels = tensor.shape.first().copied();
        }
        if tensor.shape != shape {
            imported.reshaped.push(parameter.name.clone());
        }
        if *theirs != parameter.name {
            imported.renamed.push((theirs.clone(), parameter.name.clone()));
        }
        imported.weights.insert(&parameter.name, tensor);
    }
    imported.unused = tensors.into_keys().collect();
    Ok(imported)
}

/// All tensors of real numbers; counters of batches and the like are left out.
fn read(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, WeightsError> {
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(bytes)?.iter() {
        let data = view.data();
        let pairs = || data.as_chunks::<2>().0.iter();
        let values = match view.dtype() {
            Dtype::F32 => {
                data.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
            }
            Dtype::F16 => pairs().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
            Dtype::BF16 => pairs().map(|&bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
            _ => continue,
        };
        tensors.insert(name.to_owned(), Tensor { shape: view.shape().to_vec(), values });
    }
    Ok(tensors)
}

/// The prefix of all names, such as `module.`, as the first convolution has it.
fn prefix(parameters: &[Parameter], tensors: &BTreeMap<String, Tensor>) -> String {
    let Some(first) = parameters.first() else { return String::new() };
    let before = |name: &String| {
        let before = name.strip_suffix(&first.name)?;
        // R. Cadene's stem, which is no wrapper.
        let before = before.strip_suffix("layer0.").unwrap_or(before);
        (before.is_empty() || before.ends_with('.')).then(|| before.to_owned())
    };
    // The shortest: the name itself where it is there.
    tensors.keys().filter_map(before).min_by_key(String::len).unwrap_or_default()
}

/// Our name of a tensor.
fn our_name(name: &str) -> String {
    let mut name = name.to_owned();
    // R. Cadene's SE-ResNeXt.
    for (theirs, ours) in [(".se_module.", ".se."), ("last_linear.", "fc.")] {
        name = name.replace(theirs, ours);
    }
    if let Some(rest) = name.strip_prefix("layer0.") {
        name = rest.to_owned();
    }
    // torchvision's DenseNets of before 2018.
    if name.contains("denselayer") {
        for part in ["norm", "conv"] {
            for number in ["1", "2"] {
                name = name.replace(&format!(".{part}.{number}."), &format!(".{part}{number}."));
            }
        }
    }
    name
}

fn without_ones(shape: &[usize]) -> &[usize] {
    match shape {
        [rest @ .., 1] if rest.len() > 1 => without_ones(rest),
        _ => shape,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::networks::{Head, Options, build};

    fn graph(name: &str, channels: usize, labels: usize) -> Graph {
        let head = Some(Head::Sigmoid(labels));
        build(name, &Options { channels, size: 64, head, dropout: 0.0 }).unwrap().unwrap()
    }

    /// Weights of a graph, the tensors named by `name` and each with values of its own.
    fn weights(graph: &Graph, name: impl Fn(&str) -> String) -> Weights {
        let mut weights = Weights::default();
        for (index, parameter) in graph.parameters().into_iter().enumerate() {
            let values = (0..parameter.len()).map(|k| (index * 31 + k) as f32 % 97.0).collect();
            weights.insert(&name(&parameter.name), Tensor { shape: parameter.shape, values });
        }
        weights
    }

    fn file(weights: &Weights) -> Vec<u8> {
        weights.to_safetensors(HashMap::new()).unwrap()
    }

    #[test]
    fn other_names_are_brought_to_ours() {
        for (network, rename) in [
            ("resnet18", (|name| name.to_owned()) as fn(&str) -> String),
            ("resnet18", |name| format!("module.{name}")),
            ("se-resnext101-32x4d-cadene", |name| {
                let stem = name.starts_with("conv1.") || name.starts_with("bn1.");
                let name = name.replace(".se.", ".se_module.");
                match name.strip_prefix("fc.") {
                    Some(rest) => format!("module.last_linear.{rest}"),
                    None if stem => format!("module.layer0.{name}"),
                    None => format!("module.{name}"),
                }
            }),
            ("densenet121", |name| {
                if !name.contains("denselayer") {
                    return name.to_owned();
                }
                let old = |name: &str, part: &str| {
                    name.replace(&format!("{part}1."), &format!("{part}.1."))
                        .replace(&format!("{part}2."), &format!("{part}.2."))
                };
                old(&old(name, ".norm"), ".conv")
            }),
        ] {
            let graph = graph(network, 3, 6);
            let expected = weights(&graph, str::to_owned);
            let imported = import(&graph, &file(&weights(&graph, rename))).unwrap();
            assert!(imported.weights == expected, "{network}");
            imported.weights.check(&graph).unwrap();
            assert!(imported.reshaped.is_empty() && imported.unused.is_empty());
            let renamed = expected.iter().filter(|(name, _)| rename(name) != *name).count();
            assert_eq!(imported.renamed.len(), renamed, "{network}");
        }
    }

    #[test]
    fn linear_layers_become_convolutions_and_another_head_stays_as_it_is() {
        let theirs = graph("convnext-nano", 3, 1000);
        let mut weights = weights(&theirs, str::to_owned);
        let name = "stages.0.blocks.0.mlp.fc1.weight";
        let mut tensor = weights.get(name).unwrap().clone();
        assert_eq!(tensor.shape, [320, 80, 1, 1]);
        tensor.shape.truncate(2);
        weights.insert(name, tensor);
        weights.insert("extra", Tensor { shape: vec![1], values: vec![0.0] });
        let graph = graph("convnext-nano", 3, 6);
        let imported = import(&graph, &file(&weights)).unwrap();
        assert_eq!(imported.reshaped, [name]);
        assert_eq!(imported.weights.get(name).unwrap().shape, [320, 80, 1, 1]);
        assert_eq!(imported.other_labels, Some(1000));
        assert_eq!(imported.weights.get("head.fc.weight").unwrap().shape, [1000, 640]);
        assert_eq!(imported.unused, ["extra"]);
    }

    #[test]
    fn a_backbone_needs_no_last_layer() {
        for (network, prefix) in [("resnet18", ""), ("densenet121", "encoder.")] {
            let graph = graph(network, 3, 6);
            let all = weights(&graph, str::to_owned);
            let head = format!("{}.", graph.node(graph.classifier()).name);
            let mut backbone = Weights::default();
            for (name, tensor) in all.iter().filter(|(name, _)| !name.starts_with(&head)) {
                backbone.insert(&format!("{prefix}{name}"), tensor.clone());
            }
            let count = backbone.iter().count();
            // Another's last layer, under another name.
            backbone.insert("projector.weight", Tensor { shape: vec![2], values: vec![0.0; 2] });
            let imported = import(&graph, &file(&backbone)).unwrap();
            assert!(imported.without_head && imported.other_labels.is_none());
            assert_eq!(imported.weights.iter().count(), count);
            assert_eq!(imported.unused, ["projector.weight"]);
            // Half a last layer is no backbone.
            let key = format!("{head}bias");
            backbone.insert(&format!("{prefix}{key}"), all.get(&key).unwrap().clone());
            let missing = import(&graph, &file(&backbone)).unwrap_err().to_string();
            assert!(missing.contains(&format!("`{head}weight`")), "{missing}");
        }
        assert!(
            !import(
                &graph("simple-nn", 1, 6),
                &file(&weights(&graph("simple-nn", 1, 6), str::to_owned))
            )
            .unwrap()
            .without_head
        );
    }

    #[test]
    fn the_first_layer_is_made_for_other_channels() {
        let weights = weights(&graph("resnet18", 3, 6), str::to_owned);
        let first = |channels| {
            let imported = import(&graph("resnet18", channels, 6), &file(&weights)).unwrap();
            assert_eq!(imported.reshaped, ["conv1.weight"]);
            let tensor = imported.weights.get("conv1.weight").unwrap().clone();
            assert_eq!(tensor.shape, [64, channels, 7, 7]);
            tensor.values
        };
        let colours = &weights.get("conv1.weight").unwrap().values;
        assert_eq!(first(1)[0], colours[0] + colours[49] + colours[98]);
        // Nine channels are the colours three times, each a third as strong.
        let nine = first(9);
        for channel in 0..9 {
            let expected = colours[49 * (channel % 3) + 5] / 3.0;
            assert!((nine[49 * channel + 5] - expected).abs() < 1e-6, "channel {channel}");
        }
    }

    #[test]
    fn half_precision_is_read_and_counters_are_left_out() {
        let graph = graph("simple-nn", 1, 6);
        let check = |dtype, bytes: fn(f32) -> Vec<u8>| {
            let parameters = graph.parameters();
            let data: Vec<Vec<u8>> = parameters
                .iter()
                .map(|parameter| (0..parameter.len()).flat_map(|_| bytes(0.25)).collect())
                .collect();
            let view = |shape: Vec<usize>, dtype, data| {
                safetensors::tensor::TensorView::new(dtype, shape, data).unwrap()
            };
            let mut views: Vec<_> = parameters
                .iter()
                .zip(&data)
                .map(|(it, data)| (it.name.clone(), view(it.shape.clone(), dtype, data)))
                .collect();
            let counter = [0; 8];
            views.push(("bn.num_batches_tracked".into(), view(vec![1], Dtype::I64, &counter)));
            let imported = import(&graph, &safetensors::serialize(views, None).unwrap()).unwrap();
            assert!(imported.unused.is_empty());
            let all = |tensor: &Tensor| tensor.values.iter().all(|value| *value == 0.25);
            assert!(imported.weights.iter().all(|(_, tensor)| all(tensor)));
        };
        check(Dtype::F16, |value| f16::from_f32(value).to_le_bytes().to_vec());
        check(Dtype::BF16, |value| bf16::from_f32(value).to_le_bytes().to_vec());
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let bytes = file(&weights(&graph("resnet18", 3, 6), str::to_owned));
        let missing = import(&graph("resnet34", 3, 6), &bytes).unwrap_err().to_string();
        assert!(missing.contains("`layer1.2.conv1.weight`"), "{missing}");
        let mut wrong = weights(&graph("resnet18", 3, 6), str::to_owned);
        wrong.insert("bn1.bias", Tensor { shape: vec![3], values: vec![0.0; 3] });
        let shape = import(&graph("resnet18", 3, 6), &file(&wrong)).unwrap_err().to_string();
        assert!(shape.contains("`bn1.bias` has shape [3]"), "{shape}");
        wrong.insert("bn1.bias", Tensor { shape: vec![64], values: vec![f32::NAN; 64] });
        let error = import(&graph("resnet18", 3, 6), &file(&wrong)).unwrap_err();
        assert!(matches!(error, ImportError::Weights(WeightsError::NotFinite(_))));
        assert!(import(&graph("resnet18", 3, 6), &bytes[..100]).is_err());
    }
}
