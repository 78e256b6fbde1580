//! Tables that scroll sideways where they do not fit.

use maud::{Markup, Render, html};

/// A table of figures with these heads of its columns and rows (`tr`).
pub fn table<H: Render>(heads: impl IntoIterator<Item = H>, rows: Markup) -> Markup {
    table_of("numbers", heads, rows)
}

/// The same with another class.
pub fn table_of<H: Render>(
    class: &str,
    heads: impl IntoIterator<Item = H>,
    rows: Markup,
) -> Markup {
    html! {
        div class="scroll" tabindex="0" {
            table class=(class) {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { (rows) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_escaped_and_rows_stand_in_the_body() {
        let text = table(["a", "<b>"], html! { tr { td { "1" } } }).into_string();
        assert!(text.contains("<th scope=\"col\">&lt;b&gt;</th></tr></thead>"), "{text}");
        assert!(text.contains("<tbody><tr><td>1</td></tr></tbody></table>"), "{text}");
    }
}
