//! A result in plain English: the same words in every form.

use hemora_ct::{Label, NOTICE};
use hemora_model::Verdict;

use crate::report::{Class, Finding, Report};

/// What stands on a result that was made before its study was known to be whole.
pub const INCOMPLETE: &str = "Images may have been missing when the study was scored";

/// A result in a few plain sentences, without anything that names the patient.
pub fn report_sentence(report: &Report) -> String {
    let mut sentences = vec![headline(report)];
    sentences.extend(subtypes(report));
    if let Some(image) = report.key_images.first() {
        let place = image.place();
        let any = percent(f64::from(image.probabilities.get(Label::Any)));
        sentences.push(format!("Most suspicious slice{place}: {any}."));
    }
    if report.may_be_incomplete {
        sentences.push(format!("{INCOMPLETE}."));
    }
    let supersedes = match report.revision {
        0 | 1 => String::new(),
        revision => format!(", revision {revision}, which supersedes earlier ones"),
    };
    let model = &report.model;
    sentences.push(format!("Hemora, model {} {}{supersedes}.", model.name, model.version));
    sentences.push(NOTICE.to_owned());
    crate::text::line(&sentences.join(" "))
}

fn headline(report: &Report) -> String {
    let any = report.finding(Label::Any);
    let chance = any.map(|any| format!(" ({})", percent(any.probability))).unwrap_or_default();
    match report.class {
        Class::Positive => format!("Intracranial hemorrhage: present{chance}."),
        Class::Negative => format!("Intracranial hemorrhage: absent{chance}."),
        Class::NotSure => {
            let reasons = any.map(|any| because(&any.reasons)).unwrap_or_default();
            format!("Intracranial hemorrhage: not sure{chance}{reasons}.")
        }
    }
}

/// The subtypes that are not called absent. Where hemorrhage is absent, only what contradicts it is said.
fn subtypes(report: &Report) -> Option<String> {
    let named: Vec<String> = [Verdict::Present, Verdict::NotSure]
        .into_iter()
        .flat_map(|presence| report.findings.iter().filter(move |it| it.presence == presence))
        .filter(|finding| finding.label != Label::Any)
        .map(subtype)
        .collect();
    if named.is_empty() {
        return (report.class == Class::Positive)
            .then(|| "No subtype is called present.".to_owned());
    }
    Some(format!("Subtypes: {}.", named.join(", ")))
}

fn subtype(finding: &Finding) -> String {
    let Finding { label, probability, presence, reasons, .. } = finding;
    let reasons = match presence {
        Verdict::NotSure => because(reasons),
        _ => String::new(),
    };
    format!("{label} {} ({}){reasons}", presence.words(), percent(*probability))
}

fn because(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" because {}", reasons.join("; ")) }
}

/// A probability for people, which never claims certainty.
pub(crate) fn percent(probability: f64) -> String {
    match probability * 100.0 {
        low if low < 1.0 => "<1 %".to_owned(),
        high if high > 99.0 => ">99 %".to_owned(),
        value => format!("{value:.0} %"),
    }
}

/// A probability as a number in %, to a hundredth.
pub(crate) fn percent_value(probability: f64) -> f64 {
    (probability * 1e4).round() / 1e2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_never_claim_certainty() {
        let words = [0.0, 0.009, 0.01, 0.5, 0.99, 0.9999, 1.0].map(percent);
        assert_eq!(words, ["<1 %", "<1 %", "1 %", "50 %", "99 %", ">99 %", ">99 %"]);
        assert_eq!(percent_value(0.973_21), 97.32);
    }
}
