//! The probabilities along the stack, as an SVG line chart.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_model::SliceResult;
use hemora_page::Scale;

use crate::figure::Figure;
use crate::number::{all_html, measure, probability_html};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 310.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 730.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 258.0;

/// Positions beyond this are no place in a patient, mm.
const FARTHEST: f64 = 1e6;

/// A chart of the slices of one series, at least two.
pub(crate) struct Chart<'a> {
    slices: &'a [SliceResult],
    across: Scale,
    up: Scale,
    by_position: bool,
}

impl<'a> Chart<'a> {
    /// Over the positions if every slice has one and they differ, else over the slice numbers.
    pub(crate) fn new(slices: &'a [SliceResult]) -> Self {
        let positions: Option<Vec<f64>> =
            slices.iter().map(|slice| slice.z_mm.filter(|z| z.abs() <= FARTHEST)).collect();
        let ends = positions
            .iter()
            .flatten()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |ends, &z| [ends[0].min(z), ends[1].max(z)]);
        let by_position = ends[0] < ends[1];
        let domain = if by_position { ends } else { [1.0, slices.len().max(1) as f64] };
        Self {
            slices,
            across: Scale { domain, range: [LEFT + 10.0, RIGHT - 10.0] },
            up: Scale { domain: [0.0, 1.0], range: [BOTTOM, TOP] },
            by_position,
        }
    }

    /// Where a slice stands along the horizontal axis.
    fn x(&self, index: usize) -> f64 {
        let position = self.slices[index].z_mm.filter(|_| self.by_position);
        self.across.at(position.unwrap_or(index as f64 + 1.0))
    }

    /// Where a probability stands along the vertical axis; `None` unless finite.
    fn y(&self, index: usize, label: Label) -> Option<f64> {
        let value = self.slices[index].probabilities.get(label);
        value.is_finite().then(|| self.up.at(f64::from(value)))
    }

    /// Writes the chart; `title` is its text for screen readers, already escaped.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        title: &str,
        figures: &[Figure],
    ) -> io::Result<()> {
        writeln!(
            out,
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"group\" aria-label=\"{title}\">"
        )?;
        self.write_axes(out)?;
        for figure in figures {
            if let Some(y) = self.y(figure.index, Label::Any) {
                let x = self.x(figure.index);
                writeln!(out, "<path class=\"guide\" d=\"M{x:.1} {TOP}V{y:.1}\"/>")?;
            }
        }
        // The thick line for any lies below, so that it hides no subtype.
        for label in Label::ALL.into_iter().rev() {
            writeln!(out, "<path class=\"line {}\" d=\"{}\"/>", label.name(), self.line(label))?;
        }
        self.write_dots(out)?;
        self.write_letters(out, figures)?;
        self.write_key(out)?;
        writeln!(out, "</svg>")
    }

    /// The path of one label; a probability that is not finite leaves a gap.
    fn line(&self, label: Label) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        for index in 0..self.slices.len() {
            match self.y(index, label) {
                Some(y) => {
                    path.push_str(&format!("{pen}{:.1} {y:.1}", self.x(index)));
                    pen = 'L';
                }
                None => pen = 'M',
            }
        }
        path
    }

    fn write_axes(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "<g class=\"axes\">")?;
        for value in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let y = self.up.at(value);
            write!(
                out,
                "<path d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                LEFT - 8.0,
                y + 4.0
            )?;
        }
        let smallest = if self.by_position { 0.1 } else { 1.0 };
        for tick in self.across.ticks(10, smallest) {
            let (x, text) = (self.across.at(tick), measure(tick).unwrap_or_default());
            write!(
                out,
                "<path class=\"tick\" d=\"M{x:.1} {BOTTOM}v6\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                BOTTOM + 20.0
            )?;
        }
        let name =
            if self.by_position { "position along the slice normal, mm" } else { "slice number" };
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">probability</text></g>",
            (LEFT + RIGHT) / 2.0,
            HEIGHT - 10.0,
            (TOP + BOTTOM) / 2.0
        )
    }

    /// A dot a slice on the line for any, each with a strip over the whole height that shows the
    /// numbers under the pointer.
    fn write_dots(&self, out: &mut dyn Write) -> io::Result<()> {
        let last = self.slices.len().saturating_sub(1);
        let radius = if last > 80 { 1.6 } else { 3.0 };
        for (index, slice) in self.slices.iter().enumerate() {
            let x = self.x(index);
            let sides = [index.saturating_sub(1), (index + 1).min(last)].map(|other| {
                let other = self.x(other);
                if other == x { 5.0 } else { ((other - x) / 2.0).abs() }
            });
            write!(out, "<g class=\"dot\"><title>Slice {}", index + 1)?;
            if let Some(z) = slice.z_mm.and_then(measure) {
                write!(out, ", {z} mm")?;
            }
            write!(
                out,
                ": {}</title><rect x=\"{:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                all_html(&slice.probabilities),
                x - sides[0],
                sides[0] + sides[1],
                BOTTOM - TOP
            )?;
            if let Some(y) = self.y(index, Label::Any) {
                write!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>")?;
            }
            writeln!(out, "</g>")?;
        }
        Ok(())
    }

    /// The letters of the slices shown below, each a link to its pictures.
    fn write_letters(&self, out: &mut dyn Write, figures: &[Figure]) -> io::Result<()> {
        let places: Vec<f64> = figures.iter().map(|figure| self.x(figure.index)).collect();
        for (figure, spread) in figures.iter().zip(spread(&places, 20.0, [LEFT, RIGHT])) {
            let (id, letter, number) = (&figure.id, &figure.letter, figure.index + 1);
            let x = self.x(figure.index);
            writeln!(
                out,
                "<path class=\"guide\" d=\"M{spread:.1} 22L{x:.1} {TOP}\"/>\
                 <a href=\"#{id}\" aria-label=\"Pictures {letter}: slice {number}\">\
                 <circle class=\"letter\" cx=\"{spread:.1}\" cy=\"12\" r=\"9\"/>\
                 <text class=\"letter\" x=\"{spread:.1}\" y=\"16\" text-anchor=\"middle\">{letter}</text></a>"
            )?;
        }
        Ok(())
    }

    /// What each line stands for, with its highest value; any first, then the highest.
    fn write_key(&self, out: &mut dyn Write) -> io::Result<()> {
        let highest = |label| {
            let values = self.slices.iter().map(|slice| slice.probabilities.get(label));
            values.filter(|value| value.is_finite()).fold(f32::NAN, f32::max)
        };
        let mut subtypes = Label::SUBTYPES.map(|label| (label, highest(label)));
        // NaN, no value at all, goes last.
        subtypes.sort_by(|a, b| b.1.max(-1.0).total_cmp(&a.1.max(-1.0)));
        write!(
            out,
            "<g class=\"names\"><text x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">highest</text>",
            TOP + 4.0
        )?;
        let rows = std::iter::once((Label::Any, highest(Label::Any))).chain(subtypes);
        for (row, (label, value)) in rows.enumerate() {
            let y = TOP + 30.0 + 26.0 * row as f64;
            write!(
                out,
                "<path class=\"line {name}\" d=\"M{:.1} {:.1}h44\"/><text x=\"{:.1}\" y=\"{y:.1}\">{name}</text>\
                 <text x=\"{WIDTH}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
                RIGHT + 18.0,
                y - 4.0,
                RIGHT + 70.0,
                probability_html(value),
                name = label.name(),
            )?;
        }
        writeln!(out, "</g>")
    }
}

/// Moves places apart to at least `gap`, within `bounds` as long as they fit, keeping their order.
fn spread(places: &[f64], gap: f64, bounds: [f64; 2]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]));
    let mut moved = places.to_vec();
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
        };
        values.iter().enumerate().map(slice).collect()
    }

    fn written(slices: &[SliceResult]) -> String {
        let mut out = Vec::new();
        Chart::new(slices).write(&mut out, "title", &[]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_values_have_known_coordinates() {
        let slices = slices(&[(Some(-10.0), 0.0), (Some(0.0), 1.0), (Some(30.0), 0.5)]);
        // 658 units for 40 mm from x = 62; probability 1 at y = 34, 0 at y = 258.
        let chart = Chart::new(&slices);
        assert_eq!(chart.line(Label::Any), "M62.0 258.0L226.5 34.0L720.0 146.0");
        assert_eq!(chart.line(Label::Subdural), "M62.0 258.0L226.5 146.0L720.0 202.0");
        assert!(written(&slices).contains("position along the slice normal, mm"));
    }

    #[test]
    fn without_positions_the_slice_number_is_used() {
        let equal = [(Some(5.0), 0.1), (Some(5.0), 0.2)];
        let some = [(Some(5.0), 0.1), (None, 0.2)];
        let none = [(None, 0.1), (None, 0.2)];
        let absurd = [(Some(0.0), 0.1), (Some(1e300), 0.2)];
        for values in [equal, some, none, absurd] {
            let slices = slices(&values);
            assert!(Chart::new(&slices).line(Label::Any).starts_with("M62.0 "));
            assert!(written(&slices).contains(">slice number<"));
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
        assert_eq!(Chart::new(&slices).line(Label::Any), "M62.0 146.0M720.0 202.0");
        let text = written(&slices);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn every_slice_has_a_dot_with_its_numbers() {
        let text = written(&slices(&[(Some(0.0), 0.5), (Some(7.5), 0.25), (Some(15.0), 0.0)]));
        assert_eq!(text.matches("<title>").count(), 3);
        assert!(text.contains("<title>Slice 2, 7.5 mm: any 0.25, epidural &lt; 0.01"));
    }

    #[test]
    fn letters_of_neighbours_do_not_overlap() {
        assert_eq!(spread(&[50.0, 45.0, 90.0], 20.0, [0.0, 100.0]), [65.0, 45.0, 90.0]);
        assert_eq!(spread(&[99.0, 98.0], 20.0, [0.0, 100.0]), [100.0, 80.0]);
    }
}
