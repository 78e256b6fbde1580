//! One key slice: its windows, the maps over the brain window, and what they show.

use std::fmt;
use std::io::{self, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use hemora_model::SliceResult;
use hemora_page::{Escaped, or_dash};

use crate::colour::{inferno, opacity};
use crate::number::{leading_html, measure, phrase, probability_html};
use crate::picture::{KeySlice, Map, WINDOWS};

/// Lengths of the scale bar to choose from, mm.
const BARS: [f64; 7] = [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0];

/// A key slice and where it belongs in the page.
pub(crate) struct Figure<'a> {
    /// Element id, unique in the page.
    pub(crate) id: String,
    /// Letter by which the chart points to it.
    pub(crate) letter: String,
    /// Index of the slice in its series.
    pub(crate) index: usize,
    pub(crate) key: &'a KeySlice,
}

impl Figure<'_> {
    /// Writes the figure of `slice`, which is one of `total` in its series.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        slice: &SliceResult,
        total: usize,
    ) -> io::Result<()> {
        let (id, letter, number) = (&self.id, &self.letter, self.index + 1);
        writeln!(out, "<figure class=\"key\" id=\"{id}\" aria-labelledby=\"{id}-title\">")?;
        write!(
            out,
            "<figcaption><strong id=\"{id}-title\"><span class=\"letter\">{letter}</span> Slice {number} of {total}</strong>"
        )?;
        if let Some(z) = slice.z_mm.and_then(measure) {
            write!(out, "<span>position {z} mm</span>")?;
        }
        let any = probability_html(slice.probabilities.any);
        let subtypes = leading_html(&slice.probabilities);
        writeln!(
            out,
            "<span>any hemorrhage <strong>{any}</strong></span><span>{subtypes}</span></figcaption>"
        )?;
        self.write_panes(out)?;
        writeln!(
            out,
            "<p class=\"origin\">File {}; SOP instance {}</p>\n</figure>",
            or_dash(&slice.source),
            Escaped(&slice.sop_instance_uid)
        )
    }

    /// Writes the slice in every window, and its maps.
    pub(crate) fn write_panes(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<div class=\"panes\">")?;
        for (index, (name, window)) in WINDOWS.into_iter().enumerate() {
            let (level, width) = (window.level, window.width);
            let caption = format!("<strong>{name} window</strong> level {level}, width {width} HU");
            self.write_window(out, index, &format!("{name} window"), &caption)?;
        }
        self.write_maps(out)
    }

    /// Writes the slice as it was windowed by whoever made its file, and its maps.
    pub(crate) fn write_stored(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<div class=\"panes\">")?;
        let caption = "<strong>as stored</strong>: windowed by whoever made the file";
        self.write_window(out, 0, "as stored", caption)?;
        self.write_maps(out)
    }

    fn write_maps(&self, out: &mut dyn Write) -> io::Result<()> {
        for map in &self.key.maps {
            self.write_map(out, map, self.index + 1)?;
        }
        writeln!(out, "</div>")
    }

    fn write_window(
        &self,
        out: &mut dyn Write,
        index: usize,
        name: &str,
        caption: &str,
    ) -> io::Result<()> {
        let [wide, tall] = self.key.canvas;
        self.open_pane(out, &format!("Slice {}, {name}", self.index + 1))?;
        // The map pane shows the brain picture again by its id.
        let brain = if index == 0 { format!("id=\"{}-brain\" ", self.id) } else { String::new() };
        write!(
            out,
            "<image {brain}width=\"{wide:.1}\" height=\"{tall:.1}\" preserveAspectRatio=\"none\" href=\"{}\"/>",
            DataUri(&self.key.windows[index])
        )?;
        self.write_marks(out)?;
        writeln!(out, "</svg><p>{caption}</p></div>")
    }

    fn write_map(&self, out: &mut dyn Write, map: &Map, number: usize) -> io::Result<()> {
        let label = phrase(map.label);
        let [wide, tall] = self.key.canvas;
        let alternative =
            format!("Slice {number}, Brain window with the activation map for {label}");
        self.open_pane(out, &alternative)?;
        write!(
            out,
            "<use href=\"#{}-brain\"/>\
             <image width=\"{wide:.1}\" height=\"{tall:.1}\" preserveAspectRatio=\"none\" href=\"{}\"/>",
            self.id,
            DataUri(&map.png)
        )?;
        if !map.contour.is_empty() {
            let path = &map.contour;
            write!(
                out,
                "<path class=\"halo\" d=\"{path}\"/><path class=\"contour\" d=\"{path}\"/>"
            )?;
        }
        self.write_marks(out)?;
        writeln!(
            out,
            "</svg><p><strong>Map for {label}</strong>: where the network looked; not a segmentation</p>{LEGEND}</div>"
        )
    }

    fn open_pane(&self, out: &mut dyn Write, alternative: &str) -> io::Result<()> {
        let [wide, tall] = self.key.canvas;
        write!(
            out,
            "<div class=\"pane\"><svg viewBox=\"0 0 {wide:.1} {tall:.1}\" role=\"img\" aria-label=\"{alternative}\">"
        )
    }

    /// Orientation letters and the scale bar.
    fn write_marks(&self, out: &mut dyn Write) -> io::Result<()> {
        let [wide, tall] = self.key.canvas;
        if let Some([left, right, top, bottom]) = self.key.edges {
            let (centre, middle) = (wide / 2.0, tall / 2.0 + 6.0);
            write!(
                out,
                "<g class=\"marks\"><text x=\"6\" y=\"{middle:.1}\">{left}</text>\
                 <text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{right}</text>\
                 <text x=\"{centre:.1}\" y=\"20\" text-anchor=\"middle\">{top}</text>\
                 <text x=\"{centre:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{bottom}</text></g>",
                wide - 6.0,
                tall - 8.0
            )?;
        }
        if let Some((length, mm)) = self.key.mm_per_unit.and_then(|unit| scale_bar(unit, wide)) {
            let (start, base) = (10.0, tall - 10.0);
            write!(
                out,
                "<g class=\"marks\"><path d=\"M{start} {:.1}V{base:.1}H{:.1}V{:.1}\"/>\
                 <text class=\"small\" x=\"{start}\" y=\"{:.1}\">{mm} mm</text></g>",
                base - 6.0,
                start + length,
                base - 6.0,
                base - 10.0
            )?;
        }
        Ok(())
    }
}

/// Length of the scale bar in units of the canvas, and in mm: the longest that fits a third.
fn scale_bar(mm_per_unit: f64, width: f64) -> Option<(f64, f64)> {
    let mm = BARS.into_iter().find(|mm| mm / mm_per_unit <= width / 3.0)?;
    Some((mm / mm_per_unit, mm))
}

/// A PNG inside the page.
struct DataUri<'a>(&'a [u8]);

impl fmt::Display for DataUri<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "data:image/png;base64,{}", Base64Display::new(self.0, &STANDARD))
    }
}

/// The colour scale of the maps; its gradient is defined once, by [`write_gradient`].
const LEGEND: &str = "<svg class=\"scale\" viewBox=\"0 0 260 34\" role=\"img\" \
    aria-label=\"Colour scale of the activation from 0 to 1; the line is drawn at 0.5\">\
    <rect class=\"base\" x=\"10\" y=\"2\" width=\"240\" height=\"12\"/>\
    <rect fill=\"url(#activation)\" x=\"10\" y=\"2\" width=\"240\" height=\"12\"/>\
    <path class=\"halo\" d=\"M130 0V16\"/><path class=\"contour\" d=\"M130 0V16\"/>\
    <text x=\"10\" y=\"29\">0</text><text x=\"130\" y=\"29\" text-anchor=\"middle\">0.5 = line</text>\
    <text x=\"250\" y=\"29\" text-anchor=\"end\">1</text></svg>";

/// Writes the gradient of the colour scale, over the same opacity as in the maps.
pub(crate) fn write_gradient(out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<svg class=\"hidden\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><linearGradient id=\"activation\">"
    )?;
    for step in 0..=20u8 {
        let value = f32::from(step) / 20.0;
        let [red, green, blue] = inferno(value);
        write!(
            out,
            "<stop offset=\"{value:.2}\" stop-color=\"#{red:02x}{green:02x}{blue:02x}\" stop-opacity=\"{:.2}\"/>",
            opacity(value)
        )?;
    }
    writeln!(out, "</linearGradient></defs></svg>")
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
