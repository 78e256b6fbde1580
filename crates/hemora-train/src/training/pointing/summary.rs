//! What the judged maps come to: rows of a table, counts and shares, and how they are shown.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hemora_ct::Label;
use hemora_metrics::{BootstrapOptions, MetricError, cluster_bootstrap, wilson};
use serde::Serialize;

use super::judge::{Origin, Verdict};
use crate::output::FileError;

/// One label of one image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) group: String,
    pub(super) label: Label,
    pub(super) origin: Origin,
    /// Of the label in the image, by the network.
    pub(super) probability: f32,
    pub(super) verdict: Verdict,
}

/// A share of images, with its 95 % limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Share {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

/// What the rows of one origin and label come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Line {
    source: Origin,
    label: Label,
    images: usize,
    groups: usize,
    hits: usize,
    share: Share,
    near: usize,
    near_share: Share,
    /// Misses where the label is not known.
    on_unknown: usize,
    /// Mean over the images that have one.
    dice: Option<f64>,
    dice_images: usize,
}

/// What the maps of runs come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Summary {
    pub(super) runs: Vec<PathBuf>,
    /// Height and width of the pictures, pixels.
    pub(super) side: usize,
    /// Pixels within which a maximum is near.
    pub(super) near_pixels: f64,
    pub(super) lines: Vec<Line>,
}

impl Summary {
    /// The lines of rows, by origin and then label. `seed` is that of the intervals.
    ///
    /// # Errors
    /// [`MetricError`] of an interval.
    pub(super) fn new(
        runs: &[PathBuf],
        rows: &[Row],
        (side, near_pixels): (usize, f64),
        seed: u64,
    ) -> Result<Self, MetricError> {
        let mut summary = Self { runs: runs.to_vec(), side, near_pixels, lines: Vec::new() };
        for source in [Origin::Masks, Origin::Boxes, Origin::Drawn] {
            for label in Label::ALL {
                let is_of = |row: &&Row| row.origin == source && row.label == label;
                let of_line: Vec<&Row> = rows.iter().filter(is_of).collect();
                if !of_line.is_empty() {
                    summary.lines.push(summary.line(source, label, &of_line, seed)?);
                }
            }
        }
        Ok(summary)
    }

    fn line(
        &self,
        source: Origin,
        label: Label,
        rows: &[&Row],
        seed: u64,
    ) -> Result<Line, MetricError> {
        let mut groups: Vec<&str> = rows.iter().map(|row| row.group.as_str()).collect();
        let hit: Vec<bool> = rows.iter().map(|row| row.verdict.hit).collect();
        let near: Vec<bool> =
            rows.iter().map(|row| row.is_near((self.side, self.near_pixels))).collect();
        let (share, near_share) = (share(&groups, &hit, seed)?, self::share(&groups, &near, seed)?);
        groups.sort_unstable();
        groups.dedup();
        let dice: Vec<f64> = rows.iter().filter_map(|row| row.verdict.dice).collect();
        let count = |of: &[bool]| of.iter().filter(|it| **it).count();
        Ok(Line {
            source,
            label,
            images: rows.len(),
            groups: groups.len(),
            hits: count(&hit),
            share,
            near: count(&near),
            near_share,
            on_unknown: rows.iter().filter(|row| row.verdict.on_unknown).count(),
            dice: (!dice.is_empty()).then(|| dice.iter().sum::<f64>() / dice.len() as f64),
            dice_images: dice.len(),
        })
    }

    /// The lines as a table for people.
    pub(super) fn text(&self) -> String {
        let head = ["source", "label", "images", "groups", "hits", "share (95 %)", "near (95 %)"];
        let mut cells = vec![head.map(str::to_owned).to_vec()];
        cells[0].extend(["unknown", "Dice (images)"].map(str::to_owned));
        for line in &self.lines {
            let dice = line.dice.map(|dice| format!("{dice:.3} ({})", line.dice_images));
            let counts = [line.images, line.groups, line.hits].map(|count| count.to_string());
            let mut row = vec![line.source.to_string(), line.label.to_string()];
            row.extend(counts);
            row.extend([line.share, line.near_share].map(Share::text));
            row.extend([line.on_unknown.to_string(), dice.unwrap_or_else(|| "-".to_owned())]);
            cells.push(row);
        }
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..cells[0].len()).filter_map(width).collect();
        let mut text = String::new();
        for row in &cells {
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(text, "{cell:width$}  ");
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        let _ = write!(
            text,
            "hit: the map's maximum lies in the annotated, boxed or drawn pixels; near: within {:.1} \
             pixels of {}; unknown: misses where the label is not known",
            self.near_pixels, self.side
        );
        text
    }
}

impl Row {
    /// Whether its maximum is within so many pixels of the label, in pictures of `side` pixels.
    fn is_near(&self, (side, pixels): (usize, f64)) -> bool {
        // A rounded part of the side must not put a pixel beyond the limit that it lies on.
        self.verdict.distance * side as f64 <= pixels + 1e-6
    }
}

/// Writes a row for each image and label: distances in pixels of the working size, an overlap that is
/// not known empty. `near` is the side of the pictures and the pixels within which a maximum is near.
///
/// # Errors
/// [`FileError`] names the file.
pub(super) fn write_rows(path: &Path, rows: &[Row], near: (usize, f64)) -> Result<(), FileError> {
    const HEAD: [&str; 10] = [
        "id",
        "group",
        "source",
        "label",
        "hit",
        "near",
        "distance",
        "probability",
        "dice",
        "on_unknown",
    ];
    let written = hemora_base::write_whole(path, |file| -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(HEAD)?;
        for row in rows {
            let flag = |it: bool| u8::from(it).to_string();
            table.write_record([
                row.id.clone(),
                row.group.clone(),
                row.origin.to_string(),
                row.label.to_string(),
                flag(row.verdict.hit),
                flag(row.is_near(near)),
                format!("{:.2}", row.verdict.distance * near.0 as f64),
                row.probability.to_string(),
                row.verdict.dice.map_or_else(String::new, |dice| format!("{dice:.4}")),
                flag(row.verdict.on_unknown),
            ])?;
        }
        table.flush()
    });
    written.map_err(FileError::on("write", path))
}

impl Share {
    fn text(self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) => format!("{:.3} ({low:.3} to {high:.3})", self.value),
            _ => format!("{:.3}", self.value),
        }
    }
}

/// The share of `hits` with its interval: resampled by group; Wilson's where every image is a group of
/// its own, or where all or none hit, which is the same in every resample, then with as many items as
/// there are groups. Several images of one group have none.
fn share(groups: &[&str], hits: &[bool], seed: u64) -> Result<Share, MetricError> {
    let mut names = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    let count = hits.iter().filter(|hit| **hit).count();
    let value = count as f64 / hits.len() as f64;
    let independent = match count {
        _ if names.len() == hits.len() => Some(count),
        0 => Some(0),
        all if all == hits.len() => Some(names.len()),
        _ => None,
    };
    if let Some(count) = independent {
        let limits = wilson(count as u64, names.len() as u64, 0.95)?;
        return Ok(Share { value, low: limits.low, high: limits.high });
    }
    if names.len() == 1 {
        return Ok(Share { value, low: None, high: None });
    }
    let options = BootstrapOptions { seed, ..BootstrapOptions::default() };
    let limits = cluster_bootstrap(groups, &options, |items| {
        let hits = items.iter().filter(|item| hits[**item]).count();
        Ok(Some(hits as f64 / items.len() as f64))
    })?;
    Ok(Share { value, low: limits.low, high: limits.high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(group: &str, origin: Origin, distance: f64, dice: Option<f64>) -> Row {
        let verdict = Verdict { hit: distance == 0.0, distance, on_unknown: false, dice };
        let (id, group, label) = ("image".to_owned(), group.to_owned(), Label::Any);
        Row { id, group, label, origin, probability: 0.5, verdict }
    }

    #[test]
    fn rows_are_counted_by_what_tells_where_the_label_lies() {
        let rows = [
            row("a", Origin::Masks, 0.0, Some(0.5)),
            row("b", Origin::Masks, 0.03, None),
            row("c", Origin::Masks, 0.04, Some(0.1)),
            row("a", Origin::Boxes, 0.0, None),
        ];
        let summary = Summary::new(&["run".into()], &rows, (100, 3.0), 0).unwrap();
        let [masks, boxes] = &summary.lines[..] else { panic!("{summary:?}") };
        assert_eq!((masks.images, masks.groups, masks.hits, masks.near), (3, 3, 1, 2));
        assert_eq!((masks.dice, masks.dice_images), (Some(0.3), 2));
        assert_eq!((boxes.source, boxes.hits, boxes.dice), (Origin::Boxes, 1, None));
        // Each image its own group: Wilson's interval.
        assert_eq!(masks.share.low, wilson(1, 3, 0.95).unwrap().low);
        assert!(summary.text().contains("0.333 (0.061 to 0.792)"), "{}", summary.text());
    }

    #[test]
    fn slices_of_a_patient_count_as_one_where_all_hit_and_are_drawn_together_elsewhere() {
        let groups = ["a", "a", "a", "b"];
        let all = share(&groups, &[true; 4], 0).unwrap();
        let wilson = wilson(2, 2, 0.95).unwrap();
        assert_eq!((all.value, all.low, all.high), (1.0, wilson.low, wilson.high));
        let some = share(&groups, &[true, true, true, false], 0).unwrap();
        // Resamples of two patients: only one, only the other, or both.
        assert_eq!((some.value, some.low, some.high), (0.75, Some(0.0), Some(1.0)));
        let one = share(&["a", "a"], &[true, false], 0).unwrap();
        assert_eq!((one.value, one.low, one.high), (0.5, None, None));
    }
}
