//! Durations and progress in words.

use hemora_base::Event;

/// `42 s`, `5 min`, `2.5 h`.
pub fn duration_text(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 100.0 => format!("{seconds:.0} s"),
        seconds if seconds < 6000.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

/// An event of progress in one line; `None` for one that needs no words.
pub fn progress_text(event: &Event) -> Option<String> {
    match event {
        Event::Device { device } => Some(format!("device: {device}")),
        Event::Progress { what, done, total: Some(total) } => {
            Some(format!("{what}: {done} of {total}"))
        }
        Event::Progress { what, done, total: None } => Some(format!("{what}: {done}")),
        Event::Epoch { fold, epoch, epochs, loss, score } => {
            let fold = fold.map_or(String::new(), |fold| format!("fold {fold}, "));
            let score = score.map_or(String::new(), |score| format!(", validation {score:.4}"));
            Some(format!("{fold}epoch {epoch} of {epochs}: loss {loss:.4}{score}"))
        }
        Event::Warning { message } => Some(format!("warning: {message}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!([42.0, 300.0, 9000.0].map(duration_text), ["42 s", "5 min", "2.5 h"]);
    }

    #[test]
    fn an_epoch_is_one_line() {
        let epoch =
            Event::Epoch { fold: Some(2), epoch: 3, epochs: 8, loss: 0.25, score: Some(0.875) };
        let text = progress_text(&epoch).unwrap();
        assert_eq!(text, "fold 2, epoch 3 of 8: loss 0.2500, validation 0.8750");
        assert_eq!(progress_text(&Event::Finished), None);
    }
}
