//! A phantom imaged as a series: labels, determinism, geometry.

use hemora_ct::{Label, Window};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, PhantomStudy};

fn options(bleeds: &[Label]) -> PhantomOptions {
    let bleeds = Bleeds::These(bleeds.to_vec());
    PhantomOptions { bleeds, ..PhantomOptions::default() }.with_size(64)
}

fn study(seed: u64, options: PhantomOptions) -> PhantomStudy {
    HeadPhantom::new(seed, options).unwrap().render()
}

#[test]
fn labels_are_those_of_the_visible_blood() {
    for label in Label::SUBTYPES {
        for seed in 0..4 {
            let study = study(seed, options(&[label]));
            let found = study.labels();
            assert!(found[label.index()], "{label} does not show in any slice of seed {seed}");
            for slice in &study.slices {
                let mut expected = [false; 6];
                expected[label.index()] = slice.areas[label.index()] >= 20.0;
                expected[Label::Any.index()] = expected[label.index()];
                assert_eq!(slice.labels, expected, "{label}, seed {seed}");
                assert!(slice.blood.iter().all(|mask| mask & !(1 << label.index()) == 0));
            }
            assert!(!study.slices.last().unwrap().labels[Label::Any.index()], "above the head");
        }
    }
}

#[test]
fn fresh_blood_is_brighter_than_brain_in_the_image() {
    let study = study(4, options(&[Label::Intraparenchymal]));
    let (mut blood, mut other) = (Vec::new(), Vec::new());
    for slice in &study.slices {
        for (&hu, &mask) in slice.slice.hu().iter().zip(&slice.blood) {
            if mask != 0 {
                blood.push(hu);
            } else if (15.0..45.0).contains(&hu) {
                other.push(hu);
            }
        }
    }
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    assert!(blood.len() > 30);
    assert!((48.0..85.0).contains(&mean(&blood)), "{}", mean(&blood));
    assert!(mean(&blood) > mean(&other) + 15.0);
}

#[test]
fn a_head_without_hemorrhage_has_no_label_and_no_blood() {
    for seed in 0..6 {
        let study = study(seed, options(&[]));
        assert_eq!(study.labels(), [false; 6]);
        assert!(study.slices.iter().all(|slice| slice.blood.iter().all(|&mask| mask == 0)));
        assert!(study.slices.iter().all(|slice| slice.areas == [0.0; 5]));
    }
}

#[test]
fn several_bleeds_are_labelled_together() {
    let both = [Label::Subdural, Label::Intraventricular];
    let labels = study(9, options(&both)).labels();
    assert_eq!(labels, [false, false, true, false, true, true]);
}

#[test]
fn the_thread_count_does_not_change_a_value_and_the_seed_does() {
    let render = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| study(5, options(&[Label::Subdural])))
    };
    let one = render(1);
    assert_eq!(one, render(5));
    let phantom = HeadPhantom::new(5, options(&[Label::Subdural])).unwrap();
    assert_eq!(phantom.render_slice(17), one.slices[17]);
    let other = study(6, options(&[Label::Subdural]));
    assert_ne!(one.slices[17].slice.hu(), other.slices[17].slice.hu());
}

#[test]
fn slices_ascend_by_the_spacing_and_tilt_as_asked() {
    let tilted = PhantomOptions { tilt_degrees: 18.0, slice_spacing: 4.0, ..options(&[]) };
    let study = study(2, tilted);
    assert!(study.slices.len() > 35, "{}", study.slices.len());
    let planes: Vec<_> = study.slices.iter().map(|slice| slice.slice.plane.unwrap()).collect();
    let normal = planes[0].normal();
    for pair in planes.windows(2) {
        let step = pair[1].distance_along(normal) - pair[0].distance_along(normal);
        assert!((step - 4.0).abs() < 1e-6, "{step}");
        assert_eq!(pair[0].position[..2], pair[1].position[..2], "the table moves along z");
    }
    assert!((planes[0].tilt_degrees() - 18.0).abs() < 1e-9);
}

#[test]
fn images_are_whole_hounsfield_units_with_a_head_in_air() {
    let study = study(1, options(&[]));
    for slice in &study.slices {
        assert!(
            slice.slice.hu().iter().all(|hu| hu.fract() == 0.0 && (-1024.0..=3071.0).contains(hu))
        );
        assert!(slice.slice.hu()[0] < -900.0, "corner");
    }
    // docs/references.md#slice-preparation: a slice through brain has more than 2 % of its pixels
    // in the brain window.
    let middle = &study.slices[study.slices.len() / 2].slice;
    let brain = middle
        .hu()
        .iter()
        .filter(|hu| (Window::BRAIN.low()..Window::BRAIN.high()).contains(hu))
        .count();
    assert!(brain * 100 > middle.hu().len() * 15, "{brain}");
    assert!(middle.hu().iter().any(|&hu| hu > 800.0));
}

#[test]
fn thin_slices_are_noisier_than_thick_ones() {
    let variance = |slice_thickness: f64| {
        let options = PhantomOptions { slice_thickness, ..options(&[]) };
        let phantom = HeadPhantom::new(8, options).unwrap();
        let slice = phantom.render_slice(20).slice;
        let mut sum = 0.0;
        // Neighbours in the air differ by noise alone.
        for row in 0..8 {
            for column in 0..40 {
                let pixel = row * 64 + column;
                sum += (slice.hu()[pixel] - slice.hu()[pixel + 1]).powi(2);
            }
        }
        sum
    };
    assert!(variance(0.6) > 2.0 * variance(5.0));
}

#[test]
fn thick_slices_are_the_means_of_thin_ones() {
    let bleeding = options(&[Label::Subdural]);
    let thin = study(4, PhantomOptions { slice_thickness: 1.25, slice_spacing: 1.25, ..bleeding });
    let thick = thin.thick(4, 3);
    assert_eq!(thick.slices.len(), (thin.slices.len() - 3) / 4);
    let z = |slice: &hemora_synth::PhantomSlice| slice.slice.plane.unwrap().position[2];
    let mut seen = 0;
    for (slice, parts) in thick.slices.iter().zip(thin.slices[3..].chunks(4)) {
        assert!((z(slice) - f64::midpoint(z(&parts[0]), z(&parts[3]))).abs() < 1e-9);
        for pixel in (0..slice.blood.len()).step_by(7) {
            let sum: f32 = parts.iter().map(|part| part.slice.hu()[pixel]).sum();
            assert!((slice.slice.hu()[pixel] - sum / 4.0).abs() <= 0.5);
        }
        let visible = parts.iter().filter(|part| part.labels[Label::Subdural.index()]).count();
        assert_eq!(slice.labels[Label::Subdural.index()], visible >= 2);
        let filled =
            |part: &hemora_synth::PhantomSlice| part.blood.iter().filter(|it| **it > 0).count();
        let most = parts.iter().map(filled).sum::<usize>() / 2;
        assert!(filled(slice) <= most, "half of the parts have each pixel");
        seen += filled(slice);
    }
    assert!(seen > 0);
    assert!(thin.thick(4, thin.slices.len() + 1).slices.is_empty());
}
