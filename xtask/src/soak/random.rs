//! Numbers that are the same for the same seed.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to below 1.
    pub fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_its_numbers() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..1000).map(|_| random.fraction()).collect::<Vec<_>>()
        };
        let numbers = draw(18);
        assert_eq!(numbers, draw(18));
        assert_ne!(numbers, draw(19));
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        assert!(numbers.iter().all(|it| (0.0..1.0).contains(it)) && (mean - 0.5).abs() < 0.05);
    }
}
