//! Which bleeds come together.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Share of heads with hemorrhage when bleeds are random.
const POSITIVE: f32 = 0.45;

/// Weights of the first bleed of a head. Epidural is far more common here than in the
/// competition's data (docs/references.md#rsna-2019), so that small phantom sets cover it.
const FIRST: [(Label, f32); 5] = [
    (Label::Subdural, 0.3),
    (Label::Intraparenchymal, 0.26),
    (Label::Subarachnoid, 0.22),
    (Label::Epidural, 0.13),
    (Label::Intraventricular, 0.09),
];

/// Draws the bleeds of a head, sorted by label; often none.
pub(crate) fn choose(random: &mut ChaCha8Rng) -> Vec<Label> {
    if random.random_range(0.0..1.0f32) >= POSITIVE {
        return Vec::new();
    }
    let mut pick = random.random_range(0.0..1.0f32);
    let mut first = Label::Subdural;
    for (label, weight) in FIRST {
        first = label;
        pick -= weight;
        if pick < 0.0 {
            break;
        }
    }
    with_companions(random, first)
}

/// The bleed `first` with those that came with it, sorted by label.
pub(crate) fn with_companions(random: &mut ChaCha8Rng, first: Label) -> Vec<Label> {
    use Label::*;
    let companions: &[(Label, f32)] = match first {
        Intraparenchymal => &[(Intraventricular, 0.35), (Subarachnoid, 0.2)],
        Subarachnoid => &[(Intraventricular, 0.25), (Subdural, 0.15), (Intraparenchymal, 0.15)],
        Epidural => &[(Subarachnoid, 0.2), (Subdural, 0.2), (Intraparenchymal, 0.15)],
        Subdural => &[(Subarachnoid, 0.3), (Intraparenchymal, 0.15)],
        _ => &[(Subarachnoid, 0.2)],
    };
    let mut labels = vec![first];
    for &(label, chance) in companions {
        if random.random_range(0.0..1.0f32) < chance {
            labels.push(label);
        }
    }
    labels.sort();
    labels
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn random_heads_bleed_in_all_ways_and_less_than_half_of_the_time() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let heads: Vec<Vec<Label>> = (0..2000).map(|_| choose(&mut random)).collect();
        let positive = heads.iter().filter(|labels| !labels.is_empty()).count();
        assert!((800..1000).contains(&positive), "{positive}");
        for label in Label::SUBTYPES {
            assert!(heads.iter().filter(|labels| labels.contains(&label)).count() > 50, "{label}");
        }
        assert!(heads.iter().any(|labels| labels.len() > 2));
        assert!(heads.iter().all(|labels| labels.is_sorted_by(|a, b| a < b)));
    }
}
