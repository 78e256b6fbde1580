//! A contact sheet: slices worth a look, in windows and with the maps, on one page.

use std::io::{self, Write};

use hemora_ct::NOTICE;
use hemora_page::{Page, count, notice, section, short};
use maud::{Markup, html};

use crate::SlicePicture;
use crate::figure::{self, Figure};
use crate::page::STYLE;

/// Slices under one heading.
#[derive(Debug, Clone)]
pub struct SheetSection {
    /// Heading, plain text.
    pub title: String,
    /// The slices, in the order in which they are shown.
    pub slices: Vec<SheetSlice>,
}

/// One slice of a contact sheet.
#[derive(Debug, Clone)]
pub struct SheetSlice {
    /// What it is called, plain text.
    pub id: String,
    /// What is to be known of it, plain text.
    pub facts: Vec<String>,
    /// Its pictures, or why there are none.
    pub picture: Result<SheetPicture, String>,
}

/// How a slice is shown.
#[derive(Debug, Clone)]
pub enum SheetPicture {
    /// In three windows.
    Windows(SlicePicture),
    /// As it was windowed by whoever made the file.
    AsStored(SlicePicture),
}

/// Writes a contact sheet as one HTML page; `title` and `about` are plain text.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_contact_sheet(
    out: &mut dyn Write,
    title: &str,
    about: &[String],
    sections: &[SheetSection],
) -> io::Result<()> {
    let page = Page {
        title: &format!("{title}, for research use only"),
        style: STYLE,
        skip: None,
        header: html! {
            h1 { (short(title)) }
            (notice(NOTICE, None))
            @for line in about { p { (short(line)) } }
        },
        notice: NOTICE,
    };
    let mut number = 0;
    let sections = sections.iter().enumerate().map(|(index, part)| {
        let first = number;
        number += part.slices.len();
        let title =
            format!("{} ({})", short(&part.title), count(part.slices.len(), "slice", "slices"));
        let slices = html! {
            @for (index, slice) in part.slices.iter().enumerate() {
                (sheet_slice(first + index + 1, slice))
            }
        };
        section(&format!("part-{index}"), title, slices)
    });
    page.write(out, std::iter::once(figure::gradient()).chain(sections))
}

fn sheet_slice(number: usize, slice: &SheetSlice) -> Markup {
    let figure = |key| Figure {
        id: format!("slice-{number}"),
        letter: number.to_string(),
        index: number - 1,
        key,
    };
    html! {
        figure class="key" aria-labelledby={ "slice-" (number) "-title" } {
            figcaption {
                strong id={ "slice-" (number) "-title" } {
                    span class="letter" { (number) } " " (short(&slice.id))
                }
                @for fact in &slice.facts { span { (short(fact)) } }
            }
            @match &slice.picture {
                Ok(SheetPicture::Windows(key)) => (figure(key).panes()),
                Ok(SheetPicture::AsStored(key)) => (figure(key).stored_pane()),
                Err(reason) => p { "No picture: " (short(reason)) },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hemora_ct::{Label, Plane, Slice};
    use hemora_model::{LabelMap, MapKind};

    use super::*;

    #[test]
    fn a_sheet_shows_windows_maps_and_reasons() {
        let slice = Slice::new(32, 32, vec![40.0; 1024], None).unwrap();
        let plane = Plane { rows: 1, columns: 2, values: vec![0.1, 1.0] };
        let map = LabelMap { label: Label::Any, kind: MapKind::Activation, plane };
        let key = SlicePicture::draw("", "", "", &slice, &[map]).unwrap();
        let one = |id: &str, picture| SheetSlice {
            id: id.to_owned(),
            facts: vec!["probability 0.01".to_owned()],
            picture,
        };
        let sections = [
            SheetSection {
                title: "Missed".to_owned(),
                slices: vec![
                    one("<a>", Ok(SheetPicture::Windows(key.clone()))),
                    one("b", Ok(SheetPicture::AsStored(key))),
                ],
            },
            SheetSection {
                title: "False alarms".to_owned(),
                slices: vec![one("c", Err("no pixels & no hope".to_owned()))],
            },
        ];
        let mut out = Vec::new();
        write_contact_sheet(&mut out, "Mistakes", &["Made of <x>.".to_owned()], &sections).unwrap();
        let html = String::from_utf8(out).unwrap();
        assert_eq!(html.matches("data:image/png").count(), 3 + 1 + 2);
        for text in ["&lt;a&gt;", "Missed (2 slices)", "no pixels &amp; no hope", "as stored"] {
            assert!(html.contains(text), "{text}");
        }
        assert_eq!(html.matches("Subdural window").count(), 2, "label and caption, of one slice");
    }
}
