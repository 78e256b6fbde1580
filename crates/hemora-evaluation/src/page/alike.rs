//! Slices that look alike, and labels that contradict each other on them.

use std::io::{self, Write};

use hemora_page::{Escaped, close_table, open_table, title};

use crate::{DifferingLabel, Duplicate, Evaluation};

pub(super) fn write(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(found) = &evaluation.duplicates else { return Ok(()) };
    writeln!(
        out,
        "<section aria-labelledby=\"alike\"><h2 id=\"alike\">Slices that look alike</h2>\
         <p>{} slices were compared by what they show, {} left out (nothing known of their pixels, \
         or next to nothing to see). <strong>{}</strong> pairs look alike, {} of them in two groups, \
         and of <strong>{}</strong> the labels differ. These are candidates to look at: a copy, one \
         patient under two names, or an error in the labels.</p>",
        found.compared, found.left_out, found.pairs, found.across_groups, found.conflicts
    )?;
    if found.listed.is_empty() {
        return writeln!(out, "</section>");
    }
    if found.pairs > found.listed.len() as u64 {
        writeln!(out, "<p>The first {} are listed.</p>", found.listed.len())?;
    }
    open_table(out, &["Slice", "Looks like", "Alike", "Group", "Labels"])?;
    for pair in &found.listed {
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"uid\">{}</th><td class=\"uid\">{}</td><td>{}</td><td>{}</td>\
             <td class=\"wrap\">{}</td></tr>",
            Escaped(&pair.ids[0]),
            Escaped(&pair.ids[1]),
            match (pair.same_file, pair.distance) {
                (true, _) => "the same file".to_owned(),
                (false, bits) => format!("{bits} of 256 bits differ"),
            },
            match pair.same_group {
                None => "not known",
                Some(true) => "the same",
                Some(false) => "another",
            },
            labels(pair)
        )?;
    }
    close_table(out)?;
    writeln!(out, "</section>")
}

fn labels(pair: &Duplicate) -> String {
    if pair.differing.is_empty() {
        return "the same".to_owned();
    }
    let one = |label: &DifferingLabel| {
        let has = if label.has == 0 { "first" } else { "second" };
        format!("{} only in the {has}", title(label.label).to_lowercase())
    };
    pair.differing.iter().map(one).collect::<Vec<_>>().join(", ")
}
