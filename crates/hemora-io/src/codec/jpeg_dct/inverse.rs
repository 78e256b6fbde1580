//! The inverse DCT of a block (ITU-T T.81 A.3.3).

use std::sync::LazyLock;

/// `BASIS[place][frequency]`: the cosine, with the factor of its frequency.
static BASIS: LazyLock<[[f32; 8]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|place| {
        std::array::from_fn(|frequency| {
            let angle = (2 * place + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0;
            let factor = if frequency == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
            (angle.cos() * factor / 2.0) as f32
        })
    })
});

/// The samples of a block, row by row, not yet shifted: `coefficients` stand row by row too, times
/// the `steps` of the quantization table.
pub(super) fn samples(coefficients: &[i16; 64], steps: &[u16; 64]) -> [f32; 64] {
    let basis = &*BASIS;
    let mut across = [0f32; 64];
    for row in 0..8 {
        let begin = row * 8;
        let values: [f32; 8] = std::array::from_fn(|column| {
            f32::from(coefficients[begin + column]) * f32::from(steps[begin + column])
        });
        if values == [0.0; 8] {
            continue;
        }
        for (column, basis) in basis.iter().enumerate() {
            across[begin + column] = values.iter().zip(basis).map(|(a, b)| a * b).sum();
        }
    }
    let mut samples = [0f32; 64];
    for (row, basis) in basis.iter().enumerate() {
        for (frequency, &factor) in basis.iter().enumerate() {
            for column in 0..8 {
                samples[row * 8 + column] += across[frequency * 8 + column] * factor;
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_block_and_a_single_frequency() {
        let mut coefficients = [0; 64];
        coefficients[0] = 10;
        let flat = samples(&coefficients, &[8; 64]);
        assert!(flat.iter().all(|&sample| (sample - 10.0).abs() < 1e-4));
        coefficients[0] = 0;
        coefficients[1] = 8;
        let wave = samples(&coefficients, &[1; 64]);
        for row in 0..8 {
            for column in 0..8 {
                let angle = (2 * column + 1) as f32 * std::f32::consts::PI / 16.0;
                let expected = angle.cos() * std::f32::consts::SQRT_2;
                assert!((wave[row * 8 + column] - expected).abs() < 1e-5);
            }
        }
    }
}
