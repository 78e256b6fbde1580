//! One series: its chart, the pictures of its key slices, its acquisition and its slices.

use hemora_model::{Acquisition, SeriesResult};
use hemora_page::{count, number, or_dash, short, table, title, warnings};
use maud::{Markup, html};

use crate::chart::series_chart;
use crate::figure::Figure;
use crate::leading::{any_first, leading};

/// Series `number` of `total` in its study; `id` is unique in the page.
pub(crate) fn series(
    series: &SeriesResult,
    id: &str,
    [number, total]: [usize; 2],
    figures: &[Figure],
) -> Markup {
    let slices = series.slices.len();
    html! {
        section class="series" id=(id) aria-labelledby={ (id) "-title" } {
            h3 id={ (id) "-title" } {
                "Series " (number) " of " (total) ": "
                (or_dash(series.description.as_deref().unwrap_or("no description")))
            }
            p {
                (count(slices, "slice", "slices")) ". Any hemorrhage "
                strong { (number::probability(series.probabilities.any)) } "; "
                (leading(&series.probabilities)) "."
            }
            (warnings("Warnings about this series", &series.warnings))
            @match slices {
                0 => p { "No slice of this series was scored." },
                1 => p { "With a single slice there is no chart." },
                _ => {
                    h4 { "Probability along the stack" }
                    (series_chart(&series.slices, figures, &format!(
                        "Line chart of the probabilities of {slices} slices; the same numbers stand \
                         in the table of all slices"
                    )))
                },
            }
            @if figures.is_empty() {
                p { "This report holds no pictures of this series." }
            } @else {
                h4 { "Slices to look at first" }
                @for figure in figures { (figure.figure(&series.slices[figure.index], slices)) }
            }
            @if slices > 0 { (all_slices(series)) }
            (acquisition(series))
        }
    }
}

fn all_slices(series: &SeriesResult) -> Markup {
    let mut heads = vec!["Slice", "Position, mm", "Any"];
    heads.extend(any_first().skip(1).map(title));
    heads.push("File");
    let rows = html! {
        @for (index, slice) in series.slices.iter().enumerate() {
            tr {
                th scope="row" { (index + 1) }
                td { (slice.z_mm.and_then(number::measure).unwrap_or_else(|| "–".into())) }
                @for label in any_first() {
                    td { (number::probability(slice.probabilities.get(label))) }
                }
                td class="file" { (or_dash(&slice.source)) }
            }
        }
    };
    html! {
        details {
            summary { "All numbers: " (count(series.slices.len(), "slice", "slices")) }
            (table(heads, rows))
        }
    }
}

fn acquisition(series: &SeriesResult) -> Markup {
    html! {
        details {
            summary { "Acquisition" }
            div class="scroll" {
                table class="facts" {
                    tbody {
                        tr {
                            th scope="row" { "Series" }
                            td class="uid" { (short(&series.series_instance_uid)) }
                        }
                        @for (name, value) in acquisition_rows(&series.acquisition) {
                            tr { th scope="row" { (name) } td { (value) } }
                        }
                    }
                }
            }
        }
    }
}

/// The acquisition as rows of a table.
fn acquisition_rows(acquisition: &Acquisition) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let with_unit = |value: Option<f64>, unit: &str| {
        value.and_then(number::fine_measure).map_or_else(unknown, |value| format!("{value} {unit}"))
    };
    let pixels = acquisition.pixel_spacing_mm.and_then(|[rows, columns]| {
        let [rows, columns] = [rows, columns].map(number::fine_measure);
        Some(format!("{} × {} mm", rows?, columns?))
    });
    let window = acquisition.window.and_then(|window| {
        let [level, width] =
            [window.level, window.width].map(|value| number::fine_measure(f64::from(value)));
        Some(format!("level {}, width {} HU", level?, width?))
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
                .and_then(number::measure)
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
