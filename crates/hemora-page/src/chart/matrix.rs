//! A square of counts, the higher the darker.

use maud::{Markup, Render, html};

use super::coordinate::Coordinate;

/// Width of the canvas.
const WIDTH: f64 = 720.0;
/// Where the cells begin, right of the names of their rows.
const LEFT: f64 = 130.0;
/// Height of a row.
const ROW: f64 = 34.0;

/// A matrix of counts: `names` stand over the columns and left of the rows. `label` says what is
/// counted, for who cannot see it.
pub fn matrix<N: Render>(label: &str, names: &[N], counts: &[impl AsRef<[usize]>]) -> Markup {
    let side = (WIDTH - LEFT) / names.len().max(1) as f64;
    let most = counts.iter().flat_map(|row| row.as_ref()).copied().max().unwrap_or(0).max(1) as f64;
    html! {
        svg class="chart cells" viewBox={ "0 0 " (WIDTH) " " (ROW * (names.len() + 1) as f64) }
            role="img" aria-label=(label) {
            @for (index, name) in names.iter().enumerate() {
                @let at = index as f64;
                text x=(Coordinate(LEFT + side * (at + 0.5))) y="22" text-anchor="middle" { (name) }
                text x=(LEFT - 8.0) y=(Coordinate(ROW * (at + 1.0) + 21.0)) text-anchor="end" { (name) }
            }
            @for (row, counts) in counts.iter().enumerate() {
                @let y = ROW * (row as f64 + 1.0);
                @for (column, count) in counts.as_ref().iter().enumerate() {
                    @let x = LEFT + side * column as f64;
                    rect class="fill" x=(Coordinate(x)) y=(Coordinate(y)) width=(Coordinate(side - 2.0))
                        height="32" fill-opacity=(format!("{:.3}", 0.06 + 0.6 * *count as f64 / most)) {}
                    text x=(Coordinate(x + side / 2.0)) y=(Coordinate(y + 21.0)) text-anchor="middle" {
                        (count)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_count_is_the_darkest() {
        let text = matrix("both", &["a", "<b>"], &[[4, 2], [2, 0]]).into_string();
        assert_eq!(text.matches("fill-opacity=\"0.660\"").count(), 1);
        assert_eq!(text.matches("fill-opacity=\"0.360\"").count(), 2);
        assert_eq!(text.matches("&lt;b&gt;").count(), 2);
        assert!(text.contains(">4</text>"));
    }
}
