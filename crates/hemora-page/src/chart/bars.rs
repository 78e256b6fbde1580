//! Horizontal bars: one for a share, and a list of them for counts.

use maud::{Markup, html};

use super::coordinate::Coordinate;

/// A share 0–1 as a horizontal bar, as inline SVG because browsers print no CSS backgrounds. It repeats
/// a number that stands beside it, so it is hidden from screen readers.
pub fn share_bar(share: f32) -> Markup {
    let share = if share.is_nan() { 0.0 } else { f64::from(share.clamp(0.0, 1.0)) };
    html! {
        svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect class="track" width="100" height="10" {}
            rect class="fill" width=(Coordinate(share * 100.0)) height="10" {}
        }
    }
}

/// Width of a list of bars, in units of its canvas.
const WIDTH: f64 = 640.0;
/// Height of a bar with its gap.
const HEIGHT: f64 = 20.0;
/// Where bars begin, right of their names.
const LEFT: f64 = 170.0;
/// Space for the count right of the longest bar.
const COUNT: f64 = 80.0;
/// Longest name that fits left of the bars, in characters.
const LONGEST: usize = 24;

/// A bar a count, its name to the left and the count to the right. `label` says what is counted, for
/// who cannot see it.
pub fn bar_list(label: &str, counts: &[(String, usize)]) -> Markup {
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1) as f64;
    html! {
        svg class="chart counts" viewBox={ "0 0 " (WIDTH) " " (HEIGHT * counts.len() as f64) }
            role="img" aria-label=(label) {
            @for (index, (name, count)) in counts.iter().enumerate() {
                @let y = HEIGHT * index as f64;
                @let width = (WIDTH - LEFT - COUNT) * *count as f64 / most;
                @let fits = name.chars().count() <= LONGEST;
                text x=(LEFT - 8.0) y=(y + 15.0) text-anchor="end" {
                    @if fits { (name) } @else {
                        title { (crate::short(name)) }
                        (name.chars().take(LONGEST - 1).collect::<String>()) "…"
                    }
                }
                rect class="fill" x=(LEFT) y=(y + 3.0) width=(Coordinate(width)) height=(HEIGHT - 6.0) {}
                text x=(Coordinate(LEFT + width + 6.0)) y=(y + 15.0) { (count) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_the_share() {
        let bar = |share| share_bar(share).into_string();
        assert!(bar(0.256).contains("class=\"fill\" width=\"25.6\""));
        assert!(bar(7.0).contains("class=\"fill\" width=\"100.0\""));
        assert!(bar(f32::NAN).contains("class=\"fill\" width=\"0.0\""));
    }

    #[test]
    fn the_highest_count_has_the_longest_bar() {
        let counts = [("a <b>".to_owned(), 10), ("c".repeat(99), 5), ("d".to_owned(), 0)];
        let text = bar_list("counts", &counts).into_string();
        assert!(text.contains("viewBox=\"0 0 640 60\"") && text.contains(">a &lt;b&gt;</text>"));
        assert!(text.contains("width=\"390.0\"") && text.contains("width=\"195.0\""), "{text}");
        assert!(text.contains(&format!("{}…</text>", "c".repeat(23))), "{text}");
        assert!(bar_list("none", &[]).into_string().contains("viewBox=\"0 0 640 0\""));
    }
}
