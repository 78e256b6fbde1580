//! The numbers that convolutions and linear layers compute with.

use serde::{Deserialize, Serialize};
use tch::Kind;

/// The type that convolutions and linear layers compute in. Weights, batch statistics, loss and
/// optimizer are 32-bit, but for [`Precision::F64`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats with the exponent of 32-bit ones.
    Bf16,
    /// IEEE half precision, with the loss scaled so that small gradients do not vanish. GPU only.
    F16,
    /// 64-bit floats everywhere, to compare the arithmetic with another program's where that of
    /// 32 bits says little. No checkpoint holds them.
    #[value(skip)]
    F64,
}

impl Precision {
    /// The tensors' kind.
    pub fn kind(self) -> Kind {
        match self {
            Precision::F32 => Kind::Float,
            Precision::Bf16 => Kind::BFloat16,
            Precision::F16 => Kind::Half,
            Precision::F64 => Kind::Double,
        }
    }
}

/// A factor of the loss that follows what half precision can hold: PyTorch's `GradScaler` with its
/// defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LossScale {
    /// The factor.
    pub factor: f64,
    /// Steps since it changed.
    good: u32,
}

impl Default for LossScale {
    fn default() -> Self {
        Self { factor: 65536.0, good: 0 }
    }
}

impl LossScale {
    /// Steps without overflow after which the factor is doubled.
    const GROWTH: u32 = 2000;

    /// Halves the factor after gradients that overflowed, doubles it after many that did not.
    pub fn update(&mut self, finite: bool) {
        if !finite {
            *self = Self { factor: self.factor / 2.0, good: 0 };
        } else if self.good + 1 == Self::GROWTH {
            *self = Self { factor: self.factor * 2.0, good: 0 };
        } else {
            self.good += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_halves_on_overflow_and_doubles_after_two_thousand_steps() {
        let mut scale = LossScale::default();
        scale.update(true);
        scale.update(false);
        assert_eq!(scale.factor, 32768.0);
        for _ in 0..1999 {
            scale.update(true);
        }
        assert_eq!(scale.factor, 32768.0);
        scale.update(true);
        assert_eq!(scale.factor, 65536.0);
    }
}
