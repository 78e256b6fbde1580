//! A chart with two axes, and the lines, dots and bars on it.

use maud::{Markup, PreEscaped, Render, html};

use super::axis::Axis;
use super::coordinate::{Coordinate, path};
use super::scale::Scale;

/// A canvas and the part of it that lies between the axes, in units of the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Width of the canvas.
    pub width: f64,
    /// Height of the canvas.
    pub height: f64,
    /// Left end of the horizontal axis.
    pub left: f64,
    /// Right end of the horizontal axis.
    pub right: f64,
    /// Upper end of the vertical axis.
    pub top: f64,
    /// Lower end of the vertical axis.
    pub bottom: f64,
}

impl Frame {
    /// A small square chart, of which several stand side by side.
    pub const SMALL: Self =
        Self { width: 260.0, height: 260.0, left: 54.0, right: 250.0, top: 10.0, bottom: 216.0 };
}

/// A chart. Lines, dots and bars have classes that the shared style or the page's draws; what is
/// added later lies above.
#[derive(Debug, Clone)]
pub struct Chart {
    frame: Frame,
    across: Axis,
    up: Axis,
    /// Space between the ends of the horizontal axis and the first and last value on it.
    inset: f64,
    layers: Markup,
}

impl Chart {
    /// An empty chart.
    pub fn new(frame: Frame, across: Axis, up: Axis) -> Self {
        Self { frame, across, up, inset: 0.0, layers: PreEscaped(String::new()) }
    }

    /// The same with the first and last value across so far inside the frame.
    #[must_use]
    pub fn with_inset(self, inset: f64) -> Self {
        Self { inset, ..self }
    }

    /// Where a value stands on the canvas, from its left.
    pub fn x(&self, value: f64) -> f64 {
        let range = [self.frame.left + self.inset, self.frame.right - self.inset];
        Scale { domain: self.across.domain, range }.at(value)
    }

    /// Where a value stands on the canvas, from its top.
    pub fn y(&self, value: f64) -> f64 {
        Scale { domain: self.up.domain, range: [self.frame.bottom, self.frame.top] }.at(value)
    }

    /// Adds whatever else stands on the canvas.
    pub fn add(&mut self, markup: &Markup) {
        markup.render_to(&mut self.layers.0);
    }

    /// A line through points; a point that is not finite leaves a gap.
    pub fn line(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) {
        let path = path(points.into_iter().map(|point| self.on_canvas(point)));
        if !path.is_empty() {
            self.add(&html! { path class=(class) d=(path) {} });
        }
    }

    /// A dot with a text for the pointer, none if that is empty; nothing unless the point is finite.
    pub fn dot(&mut self, class: &str, point: [f64; 2], radius: f64, title: &str) {
        if point.iter().all(|value| value.is_finite()) {
            let [x, y] = self.on_canvas(point).map(Coordinate);
            self.add(&html! {
                circle class=(class) cx=(x) cy=(y) r=(Coordinate(radius)) {
                    @if !title.is_empty() { title { (title) } }
                }
            });
        }
    }

    /// A text at a point in the units of the axes; `anchor` is `start`, `middle` or `end`.
    pub fn text(&mut self, point: [f64; 2], anchor: &str, text: &str) {
        let [x, y] = self.on_canvas(point).map(Coordinate);
        self.add(&html! { text x=(x) y=(y) text-anchor=(anchor) { (text) } });
    }

    /// A bar from the lower end of the chart up to a value, between two values across, with a number
    /// on it and a text for the pointer.
    pub fn bar(&mut self, class: &str, ends: [f64; 2], value: f64, number: &str, title: &str) {
        if !value.is_finite() {
            return;
        }
        let [start, end] = ends.map(|end| self.x(end));
        let top = self.y(value);
        self.add(&html! {
            rect class=(class) x=(Coordinate(start + 1.0)) y=(Coordinate(top))
                width=(Coordinate((end - start - 2.0).max(0.0)))
                height=(Coordinate(self.frame.bottom - top)) {
                title { (title) }
            }
            text class="value" x=(Coordinate((start + end) / 2.0)) y=(Coordinate(top - 4.0))
                text-anchor="middle" { (number) }
        });
    }

    /// A mark at a value across, over the whole height, with a text at its upper end.
    pub fn mark(&mut self, value: f64, text: &str) {
        let x = self.x(value);
        let Frame { left, right, top, bottom, .. } = self.frame;
        // Beside the mark where there is more room.
        let (anchor, shift) = if x > (left + right) / 2.0 { ("end", -6.0) } else { ("start", 6.0) };
        self.add(&html! {
            path class="chance" d=(path([[x, top], [x, bottom]])) {}
            text class="mark" x=(Coordinate(x + shift)) y=(Coordinate(top + 14.0))
                text-anchor=(anchor) { (text) }
        });
    }

    /// The chart as a picture. `class` is added to `chart`; `label` says what the chart shows, for who
    /// cannot see it.
    pub fn picture(&self, class: &str, label: &str) -> Markup {
        self.svg(class, label, "img")
    }

    /// The same for a chart that holds links.
    pub fn group(&self, class: &str, label: &str) -> Markup {
        self.svg(class, label, "group")
    }

    fn svg(&self, class: &str, label: &str, role: &str) -> Markup {
        let Frame { width, height, .. } = self.frame;
        html! {
            svg class=(format_args!("chart {class}").to_string().trim_end())
                viewBox={ "0 0 " (width) " " (height) } role=(role) aria-label=(label) {
                g class="axes" { (self.vertical_axis()) (self.horizontal_axis()) }
                (self.layers)
            }
        }
    }

    fn vertical_axis(&self) -> Markup {
        let Frame { left, right, top, bottom, .. } = self.frame;
        html! {
            @for (value, text) in &self.up.ticks {
                @let y = self.y(*value);
                path d=(path([[left, y], [right, y]])) {}
                text x=(Coordinate(left - 7.0)) y=(Coordinate(y + 4.0)) text-anchor="end" { (text) }
            }
            @if !self.up.title.is_empty() {
                text transform={ "translate(13 " (Coordinate((top + bottom) / 2.0)) ") rotate(-90)" }
                    text-anchor="middle" { (self.up.title) }
            }
        }
    }

    fn horizontal_axis(&self) -> Markup {
        let Frame { left, right, top, bottom, height, .. } = self.frame;
        html! {
            @for (value, text) in &self.across.ticks {
                @let x = self.x(*value);
                @if self.across.grid {
                    path d=(path([[x, top], [x, bottom]])) {}
                } @else {
                    path class="tick" d=(path([[x, bottom], [x, bottom + 5.0]])) {}
                }
                text x=(Coordinate(x)) y=(Coordinate(bottom + 18.0)) text-anchor="middle" { (text) }
            }
            @if !self.across.title.is_empty() {
                text x=(Coordinate((left + right) / 2.0)) y=(Coordinate(height - 9.0))
                    text-anchor="middle" { (self.across.title) }
            }
        }
    }

    fn on_canvas(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        // A scale clamps to its ends; what is not a number must stay none.
        let or_nan = |value: f64, at: f64| if value.is_finite() { at } else { f64::NAN };
        [or_nan(x, self.x(x)), or_nan(y, self.y(y))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Chart {
        let up = Axis::linear("b <", [0.0, 1.0], 5, 1e-6);
        Chart::new(Frame::SMALL, Axis::share("a"), up)
    }

    #[test]
    fn known_values_have_known_coordinates() {
        let mut chart = small();
        chart.line("curve", [[0.0, 0.0], [0.5, f64::NAN], [0.5, 1.0], [1.0, 0.5]]);
        let line = "<path class=\"curve\" d=\"M54.0 216.0M152.0 10.0L250.0 113.0\"></path>";
        assert_eq!(chart.layers.0, line);
        chart.dot("dot", [f64::NAN, 0.0], 3.0, "");
        assert!(!chart.layers.0.contains("circle"));
        let text = chart.picture("small", "t").into_string();
        assert!(text.starts_with(
            "<svg class=\"chart small\" viewBox=\"0 0 260 260\" role=\"img\" aria-label=\"t\">"
        ));
        assert!(text.contains(">0.25<") && text.contains(">b &lt;<") && !text.contains("NaN"));
        let inset = small().with_inset(10.0);
        assert_eq!([inset.x(0.0), inset.x(1.0)], [64.0, 240.0]);
    }

    #[test]
    fn bars_stand_on_the_lower_end() {
        let names = Axis::categories("", ["one".to_owned(), "two".to_owned()]);
        let mut chart = Chart::new(Frame::SMALL, names, Axis::share(""));
        chart.bar("n0", [1.0, 1.5], 0.5, "50", "50 %");
        // 98 units a category; half of 206 units.
        assert!(chart.layers.0.contains(
            "<rect class=\"n0\" x=\"153.0\" y=\"113.0\" width=\"47.0\" height=\"103.0\">"
        ));
        chart.bar("n1", [0.0, 1.0], f64::NAN, "", "");
        assert!(!chart.layers.0.contains("n1"));
    }

    #[test]
    fn texts_of_files_are_escaped() {
        let mut chart = small();
        chart.text([0.0, 0.0], "start", "<i>");
        chart.dot("<i>", [0.0, 0.0], 1.0, "<i>");
        chart.mark(0.9, "<i>");
        let text = chart.group("", "\"<i>").into_string();
        assert!(!text.contains("<i>") && text.contains("aria-label=\"&quot;&lt;i&gt;\""), "{text}");
        assert!(text.starts_with("<svg class=\"chart\" "));
    }
}
