//! A bundle with its large weights in 16 bits.

use std::path::Path;

use hemora_model::Bundle;
use hemora_nn::onnx::halved;

use crate::BundlingError;

/// What the card says of it.
const NOTE: &str = "
## Storage

Large weights of the networks of slices are stored in 16 bits (`hemora model halve`): the bundle has half of \
the size, and probabilities differ from those with 32 bits in the fourth digit.
";

/// A bundle that was halved.
#[derive(Debug)]
pub struct Halved {
    /// The bundle.
    pub bundle: Bundle,
    /// Bytes of all its networks of slices, before and after.
    pub bytes: [u64; 2],
}

/// Writes the bundle in `path` to `out` with the large weights of its networks of slices in 16 bits. They
/// compute in 32 bits as before; description, calibration and figures stay, and the card says so.
///
/// # Errors
/// [`BundlingError`] names the bundle and why its networks cannot be halved.
pub fn halve(path: &Path, out: &Path) -> Result<Halved, BundlingError> {
    let bundle = Bundle::open(path).map_err(BundlingError::bundle(path))?;
    let mut card = bundle.card().to_owned();
    if !card.contains(NOTE) {
        card.push_str(NOTE);
    }
    let (info, mut networks) = bundle.into_parts();
    let mut bytes = [0; 2];
    for (index, member) in networks.members.iter_mut().enumerate() {
        let smaller = halved(&member.slices).map_err(|error| {
            BundlingError::unfit(
                format!("{}, member {index}", path.display()),
                error.to_string(),
                "halve bundles of networks that hemora-train trained",
            )
        })?;
        bytes[0] += member.slices.len() as u64;
        bytes[1] += smaller.len() as u64;
        member.slices = smaller;
    }
    let bundle = Bundle::write(out, &info, networks, &card).map_err(BundlingError::bundle(out))?;
    Ok(Halved { bundle, bytes })
}
