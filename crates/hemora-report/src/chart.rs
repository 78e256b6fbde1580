//! The probabilities along the stack, as a line chart.

use hemora_ct::Label;
use hemora_model::SliceResult;
use hemora_page::chart::{Axis, Chart, Coordinate, Frame, path};
use hemora_page::number;
use maud::{Markup, html};

use crate::figure::Figure;
use crate::leading::all;

/// To the right of the axes stands what each line is.
const FRAME: Frame =
    Frame { width: 960.0, height: 310.0, left: 52.0, right: 730.0, top: 34.0, bottom: 258.0 };

/// Positions beyond this are none in a patient, mm.
const FARTHEST: f64 = 1e6;

/// A chart of the slices of one series, at least two; `label` is its text for screen readers. The slices
/// of `figures` are marked with their letters.
pub(crate) fn series_chart(slices: &[SliceResult], figures: &[Figure], label: &str) -> Markup {
    let mut chart = SeriesChart::new(slices);
    for figure in figures {
        let y = chart.y(figure.index);
        let x = chart.x(figure.index);
        if y.is_finite() {
            chart.add(&html! { path class="guide" d=(path([[x, FRAME.top], [x, y]])) {} });
        }
    }
    chart.add_lines();
    chart.add_dots();
    chart.add_letters(figures);
    chart.add(&key(slices));
    chart.chart.group("", label)
}

struct SeriesChart<'a> {
    slices: &'a [SliceResult],
    /// Of every slice along the horizontal axis: its position in mm, or its number from 1.
    along: Vec<f64>,
    chart: Chart,
}

impl<'a> SeriesChart<'a> {
    /// Over the positions if every slice has one and they differ, else over the slice numbers.
    fn new(slices: &'a [SliceResult]) -> Self {
        let positions: Vec<f64> =
            slices.iter().filter_map(|slice| slice.z_mm.filter(|z| z.abs() <= FARTHEST)).collect();
        let ends = positions
            .iter()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |ends, &z| [ends[0].min(z), ends[1].max(z)]);
        let (along, across) = if positions.len() == slices.len() && ends[0] < ends[1] {
            (positions, Axis::linear("position along the slice normal, mm", ends, 10, 0.1))
        } else {
            let last = slices.len().max(1) as f64;
            let numbers = (1..=slices.len()).map(|number| number as f64).collect();
            (numbers, Axis::linear("slice number", [1.0, last], 10, 1.0))
        };
        let chart = Chart::new(FRAME, across, Axis::share("probability")).with_inset(10.0);
        Self { slices, along, chart }
    }

    fn add(&mut self, markup: &Markup) {
        self.chart.add(markup);
    }

    /// Where a slice stands on the canvas, from its left.
    fn x(&self, index: usize) -> f64 {
        self.chart.x(self.along[index])
    }

    /// Where the probability of any hemorrhage stands on the canvas; NaN unless finite.
    fn y(&self, index: usize) -> f64 {
        let any = self.slices[index].probabilities.any;
        if any.is_finite() { self.chart.y(f64::from(any)) } else { f64::NAN }
    }

    fn add_lines(&mut self) {
        // The thick line for any lies below, so that it hides no subtype.
        for label in Label::ALL.into_iter().rev() {
            let points = self.along.iter().zip(self.slices);
            let points = points.map(|(&x, slice)| [x, f64::from(slice.probabilities.get(label))]);
            self.chart.line(&format!("line {label}"), points.collect::<Vec<_>>());
        }
    }

    /// A dot a slice on the line for any, each with a strip over the whole height that shows the
    /// numbers under the pointer.
    fn add_dots(&mut self) {
        let last = self.slices.len().saturating_sub(1);
        let radius = if last > 80 { 1.6 } else { 3.0 };
        for (index, slice) in self.slices.iter().enumerate() {
            let (x, y) = (self.x(index), self.y(index));
            let sides = [index.saturating_sub(1), (index + 1).min(last)].map(|neighbour| {
                let neighbour = self.x(neighbour);
                if neighbour == x { 5.0 } else { ((neighbour - x) / 2.0).abs() }
            });
            let dot = html! {
                g class="dot" {
                    title {
                        "Slice " (index + 1)
                        @if let Some(z) = slice.z_mm.and_then(number::measure) { ", " (z) " mm" }
                        ": " (all(&slice.probabilities))
                    }
                    rect x=(Coordinate(x - sides[0])) y=(FRAME.top)
                        width=(Coordinate(sides[0] + sides[1])) height=(FRAME.bottom - FRAME.top) {}
                    @if y.is_finite() {
                        circle cx=(Coordinate(x)) cy=(Coordinate(y)) r=(radius) {}
                    }
                }
            };
            self.add(&dot);
        }
    }

    /// The letters of the slices shown below, each a link to its pictures.
    fn add_letters(&mut self, figures: &[Figure]) {
        let wanted: Vec<f64> = figures.iter().map(|figure| self.x(figure.index)).collect();
        let apart = spread(&wanted, 20.0, [FRAME.left, FRAME.right]);
        for (figure, x) in figures.iter().zip(apart) {
            let letter = html! {
                path class="guide" d=(path([[x, 22.0], [self.x(figure.index), FRAME.top]])) {}
                a href={ "#" (figure.id) }
                    aria-label={ "Pictures " (figure.letter) ": slice " (figure.index + 1) } {
                    circle class="letter" cx=(Coordinate(x)) cy="12" r="9" {}
                    text class="letter" x=(Coordinate(x)) y="16" text-anchor="middle" {
                        (figure.letter)
                    }
                }
            };
            self.add(&letter);
        }
    }
}

/// What each line stands for, with its highest value; any first, then the highest.
fn key(slices: &[SliceResult]) -> Markup {
    let highest = |label| {
        let values = slices.iter().map(|slice| slice.probabilities.get(label));
        values.filter(|value| value.is_finite()).fold(f32::NAN, f32::max)
    };
    let mut subtypes = Label::SUBTYPES.map(|label| (label, highest(label)));
    // NaN, no value at all, goes last.
    subtypes.sort_by(|a, b| b.1.max(-1.0).total_cmp(&a.1.max(-1.0)));
    let rows = std::iter::once((Label::Any, highest(Label::Any))).chain(subtypes);
    html! {
        g class="names" {
            text x=(FRAME.width) y=(Coordinate(FRAME.top + 4.0)) text-anchor="end" { "highest" }
            @for (row, (label, value)) in rows.enumerate() {
                @let y = FRAME.top + 30.0 + 26.0 * row as f64;
                @let [start, end] = [14.0, 52.0].map(|right| FRAME.right + right);
                path class={ "line " (label.name()) } d=(path([[start, y - 4.0], [end, y - 4.0]])) {}
                text x=(Coordinate(end + 6.0)) y=(Coordinate(y)) { (label.name()) }
                text x=(FRAME.width) y=(Coordinate(y)) text-anchor="end" {
                    (number::probability(value))
                }
            }
        }
    }
}

/// Moves coordinates apart to at least `gap`, within `bounds` as long as they fit, keeping their order.
fn spread(wanted: &[f64], gap: f64, bounds: [f64; 2]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut moved = wanted.to_vec();
    let mut free = bounds[0];
    for &index in &order {
        moved[index] = moved[index].max(free);
        free = moved[index] + gap;
    }
    let mut free = bounds[1];
    for &index in order.iter().rev() {
        moved[index] = moved[index].min(free);
        free = moved[index] - gap;
    }
    moved
}

#[cfg(test)]
mod tests {
    use hemora_ct::Probabilities;

    use super::*;

    fn slices(values: &[(Option<f64>, f32)]) -> Vec<SliceResult> {
        let slice = |(index, &(z_mm, any)): (usize, &(Option<f64>, f32))| SliceResult {
            sop_instance_uid: format!("1.2.{index}"),
            source: format!("{index}.dcm"),
            z_mm,
            probabilities: Probabilities { any, subdural: any / 2.0, ..Default::default() },
            regions: Vec::new(),
        };
        values.iter().enumerate().map(slice).collect()
    }

    fn drawn(slices: &[SliceResult]) -> String {
        series_chart(slices, &[], "label").into_string()
    }

    fn line(slices: &[SliceResult], label: Label) -> String {
        let chart = drawn(slices);
        let start = format!("<path class=\"line {label}\" d=\"");
        let path = chart.split(&start).nth(1).unwrap_or_else(|| panic!("no line {label}"));
        path.split('"').next().unwrap().to_owned()
    }

    #[test]
    fn known_values_have_known_coordinates() {
        let slices = slices(&[(Some(-10.0), 0.0), (Some(0.0), 1.0), (Some(30.0), 0.5)]);
        // 658 units for 40 mm from x = 62; probability 1 at y = 34, 0 at y = 258.
        assert_eq!(line(&slices, Label::Any), "M62.0 258.0L226.5 34.0L720.0 146.0");
        assert_eq!(line(&slices, Label::Subdural), "M62.0 258.0L226.5 146.0L720.0 202.0");
        assert!(drawn(&slices).contains("position along the slice normal, mm"));
    }

    #[test]
    fn without_positions_the_slice_number_is_used() {
        let equal = [(Some(5.0), 0.1), (Some(5.0), 0.2)];
        let some = [(Some(5.0), 0.1), (None, 0.2)];
        let none = [(None, 0.1), (None, 0.2)];
        let absurd = [(Some(0.0), 0.1), (Some(1e300), 0.2)];
        for values in [equal, some, none, absurd] {
            let slices = slices(&values);
            assert!(line(&slices, Label::Any).starts_with("M62.0 "));
            assert!(drawn(&slices).contains(">slice number<"));
        }
    }

    #[test]
    fn values_that_are_not_finite_leave_a_gap() {
        let slices = slices(&[
            (Some(0.0), 0.5),
            (Some(1.0), f32::NAN),
            (Some(2.0), f32::INFINITY),
            (Some(4.0), 0.25),
        ]);
        assert_eq!(line(&slices, Label::Any), "M62.0 146.0M720.0 202.0");
        let text = drawn(&slices);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn every_slice_has_a_dot_with_its_numbers() {
        let text = drawn(&slices(&[(Some(0.0), 0.5), (Some(7.5), 0.25), (Some(15.0), 0.0)]));
        assert_eq!(text.matches("<title>").count(), 3);
        assert!(text.contains("<title>Slice 2, 7.5 mm: any 0.25, epidural &lt; 0.01"), "{text}");
    }

    #[test]
    fn letters_of_neighbours_do_not_overlap() {
        assert_eq!(spread(&[50.0, 45.0, 90.0], 20.0, [0.0, 100.0]), [65.0, 45.0, 90.0]);
        assert_eq!(spread(&[99.0, 98.0], 20.0, [0.0, 100.0]), [100.0, 80.0]);
    }
}
