//! A slice in a window, upright as in the report, with its marks, and a map over it.

use hemora_ct::{Plane, Slice, Window, resize};
use hemora_model::{KeySlice, LabelMap, MapKind};
use hemora_page::phrase;

use super::canvas::{Align, Area, BLACK, Canvas, GREY, WHITE};
use super::font::Font;
use crate::ReportError;
use crate::colour::{inferno, opacity};
use crate::contour::lines;
use crate::figure::scale_bar;
use crate::picture::{self, CONTOUR_LEVEL, WINDOWS};

/// Distance of letters from the edge of a picture.
const MARGIN: usize = 8;

/// Draws a key slice twice side by side, each within its area and with words below: in the brain window,
/// and with the map of any hemorrhage or, without one, in the subdural window.
pub(super) fn panes(
    canvas: &mut Canvas,
    [left, right]: [Area; 2],
    key: &KeySlice,
) -> Result<(), ReportError> {
    let [brain, subdural, _] = WINDOWS;
    slice(canvas, left, &key.slice, brain.1);
    below(canvas, left, &window_words(brain));
    match key.maps().next() {
        Some(map) => {
            let area = slice(canvas, right, &key.slice, brain.1);
            overlay(canvas, area, map)?;
            marks(canvas, area, &key.slice);
            below(canvas, right, &map_words(map));
        }
        None => {
            slice(canvas, right, &key.slice, subdural.1);
            below(canvas, right, &window_words(subdural));
        }
    }
    Ok(())
}

fn window_words((name, window): (&str, Window)) -> String {
    format!("{name} window, level {} width {} HU", window.level, window.width)
}

fn map_words(map: &LabelMap) -> String {
    match map.kind {
        MapKind::Probability => format!("Map of {}, line at 50 %", phrase(map.label)),
        MapKind::Activation => {
            format!("Activation for {}: weak, need not be where it is", phrase(map.label))
        }
    }
}

/// Words in the line below an area.
fn below(canvas: &mut Canvas, area: Area, words: &str) {
    let words = Font::SMALL.fit(words, area.wide);
    let middle = area.x + area.wide / 2;
    canvas.write([middle, area.y + area.tall + 2], Align::Centre, Font::SMALL, GREY, &words);
}

/// Draws a slice with its marks in the middle of an area, and returns where.
fn slice(canvas: &mut Canvas, within: Area, slice: &Slice, window: Window) -> Area {
    let area = place(within, slice);
    let grey = slice.windowed_at(window, area.tall, area.wide);
    for (index, value) in grey.values.iter().enumerate() {
        let (x, y) = (area.x + index % area.wide, area.y + index / area.wide);
        canvas.blend(x, y, [(value * 255.0).round() as u8; 3], 1.0);
    }
    marks(canvas, area, slice);
    area
}

/// Where a slice stands, true to the patient and as large as its area allows.
fn place(within: Area, slice: &Slice) -> Area {
    let ([wide, tall], _) = picture::canvas(slice, 1000);
    let scale = (within.wide as f64 / wide).min(within.tall as f64 / tall);
    let side = |side: f64, limit: usize| ((side * scale).round() as usize).clamp(1, limit);
    let [wide, tall] = [side(wide, within.wide), side(tall, within.tall)];
    let x = within.x + (within.wide - wide) / 2;
    Area { x, y: within.y + (within.tall - tall) / 2, wide, tall }
}

/// Letters of the patient's directions and a scale bar; nothing that is not known, or for which a
/// strip has no room.
fn marks(canvas: &mut Canvas, area: Area, slice: &Slice) {
    if area.wide.min(area.tall) < 100 {
        return;
    }
    let (middle, half) = (area.x + area.wide / 2, Font::BOLD.height() / 2);
    let (centre, bottom) = (area.y + area.tall / 2 - half, area.y + area.tall - 2 * half - 4);
    if let Some(edges) = slice.plane.and_then(|plane| plane.edges()) {
        let [left, right, top, below] = edges.map(String::from);
        let mut mark = |at, align, letter: &str| canvas.mark(at, align, Font::BOLD, letter);
        mark([area.x + MARGIN, centre], Align::Left, &left);
        mark([area.x + area.wide - MARGIN, centre], Align::Right, &right);
        mark([middle, area.y + 4], Align::Centre, &top);
        mark([middle, bottom], Align::Centre, &below);
    }
    let longest = area.wide.max(area.tall);
    let (_, mm_per_unit) = picture::canvas(slice, longest);
    let Some((length, mm)) = mm_per_unit.and_then(|unit| scale_bar(unit, area.wide as f64)) else {
        return;
    };
    let (from, base) = (MARGIN as f64, area.tall as f64 - MARGIN as f64);
    let to = from + length;
    let bar = [
        [[from, base - 6.0], [from, base]],
        [[from, base], [to, base]],
        [[to, base], [to, base - 6.0]],
    ];
    canvas.lines(area, &bar, 4.0, BLACK, 0.6);
    canvas.lines(area, &bar, 2.0, WHITE, 1.0);
    let words = format!("{mm} mm");
    let over = area.y + area.tall - MARGIN - 10 - Font::SMALL.height();
    canvas.mark([area.x + MARGIN, over], Align::Left, Font::SMALL, &words);
}

/// Lays a map over its slice, with the line at [`CONTOUR_LEVEL`].
fn overlay(canvas: &mut Canvas, area: Area, map: &LabelMap) -> Result<(), ReportError> {
    let values: Plane = resize(&picture::map_values(map)?, area.tall, area.wide);
    for (index, &value) in values.values.iter().enumerate() {
        let (x, y) = (area.x + index % area.wide, area.y + index / area.wide);
        canvas.blend(x, y, inferno(value), opacity(value));
    }
    let pieces = lines(&values, CONTOUR_LEVEL, area.wide as f64, area.tall as f64);
    canvas.lines(area, &pieces, 4.0, BLACK, 0.6);
    canvas.lines(area, &pieces, 1.8, WHITE, 1.0);
    Ok(())
}
