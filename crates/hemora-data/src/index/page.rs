//! The counts of a data set as one HTML page.

use hemora_ct::{Label, NOTICE};
use hemora_page::chart::{bar_list, matrix};
use hemora_page::{Page, notice, section, short};
use maud::{Markup, html};

use super::stats::SetStats;

/// Bars that a list shows; of more, the rest becomes one.
const MOST_BARS: usize = 24;

const STYLE: &str = "body { max-width: 48rem; }";

impl SetStats {
    /// The counts as one HTML page with charts, which needs nothing else.
    pub fn page(&self, title: &str) -> String {
        let page = Page {
            title: &format!("{}, for research use only", short(title)),
            style: STYLE,
            skip: None,
            header: html! {
                h1 { (short(title)) }
                (notice(NOTICE, None))
                p {
                    (self.rows) " rows, " (self.patients) " patients, " (self.studies) " studies, "
                    (self.series) " series; " (self.unlabelled) " without labels, " (self.failed)
                    " images that cannot be used."
                }
            },
            notice: NOTICE,
        };
        let mut out = Vec::new();
        page.write(&mut out, [self.label_counts(), self.image_counts()])
            .expect("a vector takes any bytes");
        String::from_utf8(out).expect("a page is UTF-8")
    }

    fn label_counts(&self) -> Markup {
        if self.types.iter().all(|count| *count == 0) {
            return html! {};
        }
        let labels =
            Label::ALL.map(|label| (label.name().to_owned(), self.positives[label.index()]));
        let types: Vec<_> = self
            .types
            .iter()
            .enumerate()
            .map(|(types, count)| (types.to_string(), *count))
            .collect();
        let both = "Rows with both types";
        html! {
            (counts("positives", "Positive rows", &labels))
            (counts("types", "Rows by number of types", &types))
            (section("both", both, matrix(both, &Label::SUBTYPES.map(Label::name), &self.together)))
        }
    }

    fn image_counts(&self) -> Markup {
        let texts = [
            ("windows", "Windows, level/width, HU", &self.windows),
            ("intercepts", "Rescale intercepts", &self.intercepts),
            ("formats", "Stored values", &self.formats),
            ("sizes", "Rows × columns", &self.sizes),
            ("flags", "Flags", &self.flags),
        ];
        let values = [
            ("spacing", "Pixel spacing, mm", &self.pixel_spacing),
            ("distance", "Median slice distance of each series, mm", &self.slice_distance),
            ("brain", "Part of pixels between 0 and 80 HU", &self.in_window),
        ];
        html! {
            @for (id, title, counted) in texts { (counts(id, title, counted)) }
            @for (id, title, counted) in values {
                @let bars: Vec<(String, usize)> =
                    counted.iter().map(|(value, count)| (format!("{value:.2}"), *count)).collect();
                (counts(id, title, &bars))
            }
        }
    }
}

/// A section with a bar a value; nothing without values.
fn counts(id: &str, title: &str, counted: &[(String, usize)]) -> Markup {
    if counted.is_empty() {
        return html! {};
    }
    let mut bars = counted.to_vec();
    if bars.len() > MOST_BARS {
        let rest = bars.split_off(MOST_BARS - 1);
        let count = rest.iter().map(|(_, count)| count).sum();
        bars.push((format!("{} others", rest.len()), count));
    }
    section(id, title, bar_list(title, &bars))
}
