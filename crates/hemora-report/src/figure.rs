//! One key slice: its windows, the maps over the brain window, and what they show.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hemora_model::{MapKind, Region, SliceResult};
use hemora_page::chart::{Coordinate, path};
use hemora_page::{number, or_dash, phrase, short, title};
use maud::{Markup, Render, html};

use crate::colour::{inferno, opacity};
use crate::leading::leading;
use crate::picture::{Map, SlicePicture, WINDOWS};

/// Lengths of the scale bar to choose from, mm.
const BARS: [f64; 7] = [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0];

/// A key slice and where it belongs in the page.
#[derive(Debug)]
pub(crate) struct Figure<'a> {
    /// Element id, unique in the page.
    pub(crate) id: String,
    /// Letter by which the chart points to it.
    pub(crate) letter: String,
    /// Index of the slice in its series.
    pub(crate) index: usize,
    pub(crate) key: &'a SlicePicture,
}

impl Figure<'_> {
    /// The figure of `slice`, which is one of `total` in its series.
    pub(crate) fn figure(&self, slice: &SliceResult, total: usize) -> Markup {
        let id = &self.id;
        html! {
            figure class="key" id=(id) aria-labelledby={ (id) "-title" } {
                figcaption {
                    strong id={ (id) "-title" } {
                        span class="letter" { (self.letter) } " Slice " (self.index + 1) " of " (total)
                    }
                    @if let Some(z) = slice.z_mm.and_then(number::measure) {
                        span { "position " (z) " mm" }
                    }
                    span {
                        "any hemorrhage " strong { (number::probability(slice.probabilities.any)) }
                    }
                    span { (leading(&slice.probabilities)) }
                }
                (self.panes())
                (regions(&slice.regions))
                p class="origin" {
                    "File " (or_dash(&slice.source)) "; SOP instance " (short(&slice.sop_instance_uid))
                }
            }
        }
    }

    /// The slice in every window, and its maps.
    pub(crate) fn panes(&self) -> Markup {
        html! {
            div class="panes" {
                @for (index, (name, window)) in WINDOWS.into_iter().enumerate() {
                    (self.window(index, &format!("{name} window"), html! {
                        strong { (name) " window" }
                        " level " (window.level) ", width " (window.width) " HU"
                    }))
                }
                @for map in &self.key.maps { (self.map(map)) }
            }
        }
    }

    /// The slice as it was windowed by whoever made its file, and its maps.
    pub(crate) fn stored_pane(&self) -> Markup {
        html! {
            div class="panes" {
                (self.window(0, "as stored", html! {
                    strong { "as stored" } ": windowed by whoever made the file"
                }))
                @for map in &self.key.maps { (self.map(map)) }
            }
        }
    }

    fn window(&self, index: usize, name: &str, caption: Markup) -> Markup {
        // The map pane shows the brain picture again by its id.
        let brain = (index == 0).then(|| format!("{}-brain", self.id));
        let picture = html! { (self.image(brain.as_deref(), &self.key.windows[index])) };
        self.pane(&format!("Slice {}, {name}", self.index + 1), &picture, html! { p { (caption) } })
    }

    fn map(&self, map: &Map) -> Markup {
        let label = phrase(map.label);
        let alternative =
            format!("Slice {}, Brain window with the map for {label}", self.index + 1);
        let picture = html! {
            use href={ "#" (self.id) "-brain" } {}
            (self.image(None, &map.png))
            @if !map.contour.is_empty() {
                path class="halo" d=(map.contour) {}
                path class="contour" d=(map.contour) {}
            }
        };
        let caption = html! {
            p {
                strong { "Map for " (label) } ": " (meaning(map.kind))
            }
            (colour_scale())
        };
        self.pane(&alternative, &picture, caption)
    }

    /// A picture with the marks on it, and what stands below.
    fn pane(&self, alternative: &str, picture: &Markup, below: Markup) -> Markup {
        let [wide, tall] = self.key.canvas.map(Coordinate);
        html! {
            div class="pane" {
                svg viewBox={ "0 0 " (wide) " " (tall) } role="img" aria-label=(alternative) {
                    (picture) (self.marks())
                }
                (below)
            }
        }
    }

    fn image(&self, id: Option<&str>, png: &[u8]) -> Markup {
        let [wide, tall] = self.key.canvas.map(Coordinate);
        html! {
            image id=[id] width=(wide) height=(tall) preserveAspectRatio="none" href=(DataUri(png)) {}
        }
    }

    /// Orientation letters and the scale bar.
    fn marks(&self) -> Markup {
        let [wide, tall] = self.key.canvas;
        let (centre, middle, base) = (wide / 2.0, tall / 2.0 + 6.0, tall - 10.0);
        html! {
            @if let Some([left, right, top, bottom]) = self.key.edges {
                g class="marks" {
                    text x="6" y=(Coordinate(middle)) { (left) }
                    text x=(Coordinate(wide - 6.0)) y=(Coordinate(middle)) text-anchor="end" { (right) }
                    text x=(Coordinate(centre)) y="20" text-anchor="middle" { (top) }
                    text x=(Coordinate(centre)) y=(Coordinate(tall - 8.0)) text-anchor="middle" {
                        (bottom)
                    }
                }
            }
            @if let Some((length, mm)) = self.key.mm_per_unit.and_then(|unit| scale_bar(unit, wide)) {
                @let ends = [10.0, 10.0 + length];
                @let bar = [
                    [ends[0], base - 6.0], [ends[0], base], [ends[1], base], [ends[1], base - 6.0],
                ];
                g class="marks" {
                    path d=(path(bar)) {}
                    text class="small" x=(ends[0]) y=(Coordinate(base - 10.0)) { (mm) " mm" }
                }
            }
        }
    }
}

/// Where the networks see each label of the slice, in words.
fn regions(regions: &[Region]) -> Markup {
    let words = |region: &Region| {
        let [row, column] =
            [region.peak_row, region.peak_column].map(|at| number::measure(at.round()));
        let place = match (row, column) {
            (Some(row), Some(column)) => format!(" at row {row}, column {column}"),
            _ => String::new(),
        };
        // From mm².
        let area = region.area_mm2.map(|area| format!("; area {:.1} cm²", area / 100.0));
        format!("maximum {}{place}{}", number::probability(region.peak), area.unwrap_or_default())
    };
    html! {
        @if !regions.is_empty() {
            p { "In the map of each label, in pixels of the file counted from 0:" }
            ul class="regions" {
                @for region in regions {
                    li { strong { (title(region.label)) } ": " (words(region)) }
                }
            }
        }
    }
}

/// Length of the scale bar in units of the canvas, and in mm: the longest that fits a third.
pub(crate) fn scale_bar(mm_per_unit: f64, width: f64) -> Option<(f64, f64)> {
    let mm = BARS.into_iter().find(|mm| mm / mm_per_unit <= width / 3.0)?;
    Some((mm / mm_per_unit, mm))
}

/// A PNG inside the page.
struct DataUri<'a>(&'a [u8]);

impl Render for DataUri<'_> {
    fn render_to(&self, buffer: &mut String) {
        // No character of the alphabet of base 64 means anything to HTML.
        buffer.push_str("data:image/png;base64,");
        STANDARD.encode_string(self.0, buffer);
    }
}

/// What the values of a map say, for a reader.
fn meaning(kind: MapKind) -> &'static str {
    match kind {
        MapKind::Probability => {
            "where the network sees it, as the probability in each part; the line is at 50 %"
        }
        MapKind::Activation => {
            "weak: what spoke for it in this network, which need not be where it is"
        }
    }
}

/// The colour scale of the maps; its gradient is defined once, by [`gradient`].
fn colour_scale() -> Markup {
    html! {
        svg class="scale" viewBox="0 0 260 34" role="img"
            aria-label="Colour scale of the activation from 0 to 1; the line is drawn at 0.5" {
            rect class="base" x="10" y="2" width="240" height="12" {}
            rect fill="url(#activation)" x="10" y="2" width="240" height="12" {}
            path class="halo" d="M130 0V16" {}
            path class="contour" d="M130 0V16" {}
            text x="10" y="29" { "0" }
            text x="130" y="29" text-anchor="middle" { "0.5 = line" }
            text x="250" y="29" text-anchor="end" { "1" }
        }
    }
}

/// The gradient of the colour scale, over the same opacity as in the maps.
pub(crate) fn gradient() -> Markup {
    html! {
        svg class="hidden" width="0" height="0" aria-hidden="true" {
            defs {
                linearGradient id="activation" {
                    @for step in 0..=20u8 {
                        @let value = f32::from(step) / 20.0;
                        @let [red, green, blue] = inferno(value);
                        stop offset=(format!("{value:.2}"))
                            stop-color=(format!("#{red:02x}{green:02x}{blue:02x}"))
                            stop-opacity=(format!("{:.2}", opacity(value))) {}
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
    fn the_scale_bar_fits_a_third() {
        // 230 mm over 384 units: 50 mm is 83 units, 100 mm would be 167.
        let (length, mm) = scale_bar(230.0 / 384.0, 384.0).unwrap();
        assert_eq!(mm, 50.0);
        assert!((length - 50.0 * 384.0 / 230.0).abs() < 1e-9);
        assert_eq!(scale_bar(0.001, 384.0), None);
    }
}
