//! Small square charts as inline SVG.

use std::io::{self, Write};

use crate::Scale;

const SIDE: f64 = 260.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 250.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 216.0;

/// A chart with two linear axes. Lines and dots have the classes that the page's style draws.
#[derive(Debug, Clone)]
pub struct Plot {
    across: Scale,
    up: Scale,
    parts: String,
}

impl Plot {
    /// A chart over 0–1 across whose axis upwards runs from `low` to `high`.
    pub fn new(low: f64, high: f64) -> Self {
        Self::over([0.0, 1.0], [low, high])
    }

    /// A chart whose axes run from the first to the second value.
    pub fn over(across: [f64; 2], up: [f64; 2]) -> Self {
        Self {
            across: Scale { domain: across, range: [LEFT, RIGHT] },
            up: Scale { domain: up, range: [BOTTOM, TOP] },
            parts: String::new(),
        }
    }

    /// A line through points of class `class`; points that are not finite are left out.
    pub fn line(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) {
        let mut path = String::new();
        for [x, y] in points.into_iter().filter(|[x, y]| x.is_finite() && y.is_finite()) {
            let pen = if path.is_empty() { 'M' } else { 'L' };
            path.push_str(&format!("{pen}{:.1} {:.1}", self.across.at(x), self.up.at(y)));
        }
        if !path.is_empty() {
            self.parts.push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
    }

    /// A dot with a text for the pointer.
    pub fn dot(&mut self, class: &str, [x, y]: [f64; 2], radius: f64, title: &str) {
        if x.is_finite() && y.is_finite() {
            self.parts.push_str(&format!(
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"><title>{title}</title></circle>",
                self.across.at(x),
                self.up.at(y)
            ));
        }
    }

    /// A text in the chart, its place in the units of the axes.
    pub fn text(&mut self, [x, y]: [f64; 2], anchor: &str, text: &str) {
        self.parts.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>",
            self.across.at(x),
            self.up.at(y)
        ));
    }

    /// Writes the chart: what it is, for who cannot see it, and the names of its axes. All texts are
    /// escaped already.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write(
        &self,
        out: &mut dyn Write,
        title: &str,
        across: &str,
        up: &str,
    ) -> io::Result<()> {
        write!(
            out,
            "<svg class=\"chart small\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" aria-label=\"{title}\"><g class=\"axes\">"
        )?;
        for value in self.up.ticks(5, 1e-6) {
            let y = self.up.at(value);
            write!(
                out,
                "<path d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                short(value)
            )?;
        }
        let across_ticks = match self.across.domain {
            [0.0, 1.0] => vec![0.0, 0.25, 0.5, 0.75, 1.0],
            _ => self.across.ticks(6, 1.0),
        };
        for value in across_ticks {
            let x = self.across.at(value);
            write!(
                out,
                "<path class=\"tick\" d=\"M{x:.1} {BOTTOM}v4\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                BOTTOM + 16.0,
                short(value)
            )?;
        }
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{across}</text>\
             <text transform=\"translate(12 {:.1}) rotate(-90)\" text-anchor=\"middle\">{up}</text></g>{}</svg>",
            (LEFT + RIGHT) / 2.0,
            SIDE - 8.0,
            (TOP + BOTTOM) / 2.0,
            self.parts
        )
    }
}

/// A tick's number without needless zeros.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_have_known_coordinates() {
        let mut plot = Plot::new(0.0, 1.0);
        plot.line("curve", [[0.0, 0.0], [0.5, f64::NAN], [0.5, 1.0], [1.0, 0.5]]);
        assert!(plot.parts.contains("M54.0 216.0L152.0 10.0L250.0 113.0"), "{}", plot.parts);
        plot.dot("dot", [f64::NAN, 0.0], 3.0, "");
        assert!(!plot.parts.contains("circle"));
        let mut out = Vec::new();
        plot.write(&mut out, "t", "a", "b").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(">0.25<") && !text.contains("NaN"));
        assert_eq!([short(-0.05), short(-0.0), short(0.2)], ["−0.05", "0", "0.2"]);
    }
}
