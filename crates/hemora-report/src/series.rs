//! One series: its chart, the pictures of its key slices, its acquisition and its slices.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_model::{Acquisition, SeriesResult};
use hemora_page::{Escaped, count, or_dash, title};

use crate::chart::Chart;
use crate::figure::Figure;
use crate::number::{fine_measure, leading_html, measure, probability_html};

/// Writes series `number` of `total`; `id` is unique in the page.
pub(crate) fn write(
    out: &mut dyn Write,
    series: &SeriesResult,
    id: &str,
    number: usize,
    total: usize,
    figures: &[Figure],
) -> io::Result<()> {
    let description = or_dash(series.description.as_deref().unwrap_or("no description"));
    let slices = series.slices.len();
    writeln!(out, "<section class=\"series\" id=\"{id}\" aria-labelledby=\"{id}-title\">")?;
    writeln!(out, "<h3 id=\"{id}-title\">Series {number} of {total}: {description}</h3>")?;
    writeln!(
        out,
        "<p>{}. Any hemorrhage <strong>{}</strong>; {}.</p>",
        count(slices, "slice", "slices"),
        probability_html(series.probabilities.any),
        leading_html(&series.probabilities)
    )?;
    write_warnings(out, "Warnings about this series", &series.warnings)?;
    match slices {
        0 => writeln!(out, "<p>No slice of this series was scored.</p>")?,
        1 => writeln!(out, "<p>With a single slice there is no chart.</p>")?,
        _ => {
            writeln!(out, "<h4>Probability along the stack</h4>")?;
            let title = format!(
                "Line chart of the probabilities of {slices} slices; the same numbers stand in the table of all slices"
            );
            Chart::new(&series.slices).write(out, &title, figures)?;
        }
    }
    if figures.is_empty() {
        writeln!(out, "<p>This report holds no pictures of this series.</p>")?;
    } else {
        writeln!(out, "<h4>Slices to look at first</h4>")?;
        for figure in figures {
            figure.write(out, &series.slices[figure.index], slices)?;
        }
    }
    if slices > 0 {
        write_slices(out, series)?;
    }
    write_acquisition(out, series)?;
    writeln!(out, "</section>")
}

/// Writes warnings as a marked list; nothing if there are none.
pub(crate) fn write_warnings(
    out: &mut dyn Write,
    title: &str,
    warnings: &[String],
) -> io::Result<()> {
    if warnings.is_empty() {
        return Ok(());
    }
    writeln!(out, "<div class=\"warnings\"><p><strong>{title}</strong></p><ul>")?;
    for warning in warnings {
        writeln!(out, "<li>{}</li>", Escaped(warning))?;
    }
    writeln!(out, "</ul></div>")
}

fn write_slices(out: &mut dyn Write, series: &SeriesResult) -> io::Result<()> {
    let total = count(series.slices.len(), "slice", "slices");
    write!(
        out,
        "<details><summary>All numbers: {total}</summary><div class=\"scroll\"><table class=\"numbers\">\
         <thead><tr><th scope=\"col\">Slice</th><th scope=\"col\">Position, mm</th><th scope=\"col\">Any</th>"
    )?;
    for label in Label::SUBTYPES {
        write!(out, "<th scope=\"col\">{}</th>", title(label))?;
    }
    writeln!(out, "<th scope=\"col\">File</th></tr></thead><tbody>")?;
    for (index, slice) in series.slices.iter().enumerate() {
        let z = slice.z_mm.and_then(measure).unwrap_or_else(|| "–".into());
        write!(out, "<tr><th scope=\"row\">{}</th><td>{z}</td>", index + 1)?;
        for label in std::iter::once(Label::Any).chain(Label::SUBTYPES) {
            write!(out, "<td>{}</td>", probability_html(slice.probabilities.get(label)))?;
        }
        writeln!(out, "<td class=\"file\">{}</td></tr>", or_dash(&slice.source))?;
    }
    writeln!(out, "</tbody></table></div></details>")
}

fn write_acquisition(out: &mut dyn Write, series: &SeriesResult) -> io::Result<()> {
    writeln!(
        out,
        "<details><summary>Acquisition</summary><div class=\"scroll\"><table class=\"facts\"><tbody>"
    )?;
    writeln!(
        out,
        "<tr><th scope=\"row\">Series</th><td class=\"uid\">{}</td></tr>",
        Escaped(&series.series_instance_uid)
    )?;
    for (name, value) in acquisition_rows(&series.acquisition) {
        writeln!(out, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>")?;
    }
    writeln!(out, "</tbody></table></div></details>")
}

/// The acquisition as rows of a table; every value is made of numbers only.
fn acquisition_rows(acquisition: &Acquisition) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let with_unit = |value: Option<f64>, unit: &str| {
        value.and_then(fine_measure).map_or_else(unknown, |value| format!("{value} {unit}"))
    };
    let pixels = acquisition.pixel_spacing_mm.and_then(|[rows, columns]| {
        Some(format!("{} × {} mm", fine_measure(rows)?, fine_measure(columns)?))
    });
    let window = acquisition.window.and_then(|window| {
        let [level, width] = [window.level, window.width].map(f64::from);
        Some(format!("level {}, width {} HU", fine_measure(level)?, fine_measure(width)?))
    });
    let sign = if acquisition.signed { "signed" } else { "unsigned" };
    vec![
        ("Image size", format!("{} rows × {} columns", acquisition.rows, acquisition.columns)),
        ("Pixel spacing (rows × columns)", pixels.unwrap_or_else(unknown)),
        ("Slice spacing (median)", with_unit(acquisition.slice_spacing_mm, "mm")),
        (
            "Gantry tilt",
            acquisition
                .tilt_degrees
                .and_then(measure)
                .map_or_else(unknown, |degrees| format!("{degrees}°")),
        ),
        ("Window in the file", window.unwrap_or_else(unknown)),
        ("Stored values", format!("{} bits, {sign}", acquisition.bits_stored)),
        ("Rescale intercept", with_unit(Some(acquisition.rescale_intercept), "HU")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_impossible_values_are_named_unknown() {
        let acquisition = Acquisition {
            pixel_spacing_mm: Some([0.488281, f64::NAN]),
            tilt_degrees: Some(17.5),
            slice_spacing_mm: Some(f64::INFINITY),
            ..Acquisition::default()
        };
        let rows = acquisition_rows(&acquisition);
        let value = |start: &str| &rows.iter().find(|(name, _)| name.starts_with(start)).unwrap().1;
        assert_eq!(value("Pixel spacing"), "unknown");
        assert_eq!(value("Slice spacing"), "unknown");
        assert_eq!(value("Gantry tilt"), "17.5°");
        assert_eq!(value("Window"), "unknown");
    }
}
