//! The counts of a data set as one HTML page with drawings, no script and nothing to load.

use std::fmt::Write as _;

use hemora_ct::Label;

use super::stats::SetStats;

/// Bars that a drawing shows; of more, the rest becomes one.
const MOST_BARS: usize = 24;
/// Width of a drawing, CSS pixels.
const WIDTH: f64 = 640.0;
/// Height of a bar with its gap, CSS pixels.
const BAR: f64 = 20.0;
/// Where bars begin, right of their names.
const LEFT: f64 = 170.0;

impl SetStats {
    /// The counts as one HTML page with drawings, which needs nothing else.
    pub fn page(&self, title: &str) -> String {
        let title = escape(title);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>body{{font:15px/1.4 system-ui,sans-serif;max-width:720px;margin:2em auto;\
             padding:0 1em;color:#1b1f24;background:#fff}}svg{{width:100%;height:auto}}\
             h1{{font-size:1.4em}}h2{{font-size:1.1em;margin-top:2em}}text{{font-size:13px;\
             fill:#1b1f24}}rect{{fill:#3b6ea5}}.cell text{{text-anchor:middle}}\
             @media(prefers-color-scheme:dark){{body{{background:#15181c;color:#e6e8ea}}\
             text{{fill:#e6e8ea}}}}</style>\n<h1>{title}</h1>\n\
             <p>{} rows, {} patients, {} studies, {} series; {} without labels, {} images that \
             cannot be used. For research use only.</p>\n",
            self.rows, self.patients, self.studies, self.series, self.unlabelled, self.failed
        );
        if self.types.iter().sum::<usize>() > 0 {
            let labels =
                Label::ALL.map(|label| (label.name().to_owned(), self.positives[label.index()]));
            section(&mut page, "Positive rows", &labels);
            let types: Vec<(String, usize)> = self
                .types
                .iter()
                .enumerate()
                .map(|(types, count)| (types.to_string(), *count))
                .collect();
            section(&mut page, "Rows by number of types", &types);
            self.together(&mut page);
        }
        for (title, counted) in [
            ("Windows, level/width, HU", &self.windows),
            ("Rescale intercepts", &self.intercepts),
            ("Stored values", &self.formats),
            ("Rows × columns", &self.sizes),
            ("Flags", &self.flags),
        ] {
            section(&mut page, title, counted);
        }
        for (title, counted) in [
            ("Pixel spacing, mm", &self.pixel_spacing),
            ("Median slice distance of each series, mm", &self.slice_distance),
            ("Part of pixels between 0 and 80 HU", &self.in_window),
        ] {
            let bars: Vec<(String, usize)> =
                counted.iter().map(|(value, count)| (format!("{value:.2}"), *count)).collect();
            section(&mut page, title, &bars);
        }
        page.push_str("</html>\n");
        page
    }

    /// How often two types come together; the diagonal is each type alone or not.
    fn together(&self, page: &mut String) {
        let side = 86.0;
        let most = self.together.iter().flatten().copied().max().unwrap_or(0).max(1) as f64;
        let height = 6.0 * 34.0;
        put(
            page,
            format_args!(
                "<h2>Rows with both types</h2>\n<svg class=\"cell\" viewBox=\"0 0 {WIDTH} {height}\" \
             role=\"img\" aria-label=\"Rows with both of two types\">\n"
            ),
        );
        for (first, row) in Label::SUBTYPES.into_iter().zip(self.together) {
            let y = 34.0 * (first.index() as f64 + 1.0);
            let x = LEFT + side * (first.index() as f64 + 0.5);
            put(page, format_args!("<text x=\"{x}\" y=\"22\">{:.11}</text>\n", first.name()));
            put(page, format_args!("<text x=\"80\" y=\"{}\">{first}</text>\n", y + 22.0));
            for (second, count) in row.into_iter().enumerate() {
                let x = LEFT + side * second as f64;
                let opacity = 0.06 + 0.6 * count as f64 / most;
                put(
                    page,
                    format_args!(
                        "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"32\" \
                     fill-opacity=\"{opacity:.3}\"/><text x=\"{}\" y=\"{}\">{count}</text>\n",
                        side - 2.0,
                        x + side / 2.0,
                        y + 22.0
                    ),
                );
            }
        }
        page.push_str("</svg>\n");
    }
}

/// A heading and a bar a value.
fn section(page: &mut String, title: &str, counted: &[(String, usize)]) {
    if counted.is_empty() {
        return;
    }
    let mut bars = counted.to_vec();
    if bars.len() > MOST_BARS {
        let rest = bars.split_off(MOST_BARS - 1);
        let count = rest.iter().map(|(_, count)| count).sum();
        bars.push((format!("{} others", rest.len()), count));
    }
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1) as f64;
    let height = BAR * bars.len() as f64;
    put(
        page,
        format_args!(
            "<h2>{title}</h2>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{title}\">\n"
        ),
    );
    for (index, (value, count)) in bars.iter().enumerate() {
        let y = BAR * index as f64;
        let width = (WIDTH - LEFT - 80.0) * *count as f64 / most;
        put(
            page,
            format_args!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{count}</text>\n",
                LEFT - 8.0,
                y + 15.0,
                escape(value),
                y + 3.0,
                BAR - 6.0,
                LEFT + width + 6.0,
                y + 15.0
            ),
        );
    }
    page.push_str("</svg>\n");
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes any text");
}

/// Text from a file as it may stand in HTML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(letter),
        }
    }
    safe
}
