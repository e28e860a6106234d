//! The frames of a call stack, outermost first.

use starlark::codemap::FileSpan;
use starlark::errors::Frame;

/// The longest cycle of frames that is recognised as a repetition.
const MAX_CYCLE: usize = 8;

/// The number of times that a cycle may appear before its repetitions are counted instead of shown.
const MAX_REPEATS: usize = 3;

/// The number of entries that are shown at the outer and at the inner end of a stack that is longer. Each takes two lines.
const OUTERMOST: usize = 9;
const INNERMOST: usize = 9;

/// What is shown of one frame, or of several.
struct Entry {
    text: String,
    frames: usize,
}

/// Renders the frames, or nothing if there are none. `original` maps a place to the text as it was written.
pub(super) fn render(frames: &[Frame], original: impl Fn(&FileSpan) -> FileSpan) -> String {
    let entries = shorten(fold(&rows(frames, original)));
    if entries.is_empty() {
        return String::new();
    }
    let mut out = "Traceback (most recent call last):\n".to_owned();
    entries.iter().for_each(|entry| out.push_str(&entry.text));
    out
}

/// Returns two lines for each frame: where the call stands and in what, and the line itself.
fn rows(frames: &[Frame], original: impl Fn(&FileSpan) -> FileSpan) -> Vec<String> {
    let mut caller = "<module>";
    let mut rows = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        match &frame.location {
            Some(location) => {
                let location = original(location);
                let line = location.file.source_line_at_pos(location.span.begin()).trim();
                rows.push(format!(
                    "  * {}, in {caller}\n      {}\n",
                    location.resolve().begin_file_line(),
                    start(line)
                ));
            }
            // For a call from Rust starlark pushes a frame of the function `None`, which is not among these frames if it is
            // the first.
            None if index == 0 || caller == "None" => {}
            // A builtin that this crate replaces calls starlark's of the same name.
            None if *caller == frame.name => {}
            None => rows.push(format!("  File <builtin>, in {caller}\n")),
        }
        caller = &frame.name;
    }
    rows
}

/// Returns a line of at most eighty characters, the last three of them "..." if the line is longer.
fn start(line: &str) -> String {
    const MAX_LEN: usize = 80;
    match line.chars().nth(MAX_LEN) {
        Some(_) => line.chars().take(MAX_LEN - 3).chain("...".chars()).collect(),
        None => line.to_owned(),
    }
}

/// Replaces the repetitions of a cycle of frames, as recursion makes them, with their count.
fn fold(mut rows: &[String]) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !rows.is_empty() {
        let cycle = (1..=MAX_CYCLE).find_map(|len| {
            let count = repeats(rows, len);
            (count > MAX_REPEATS).then_some((len, count))
        });
        let (len, count) = cycle.unwrap_or((1, 1));
        entries.extend(rows.iter().take(len).map(|row| Entry { text: row.clone(), frames: 1 }));
        if let Some(more) = count.checked_sub(1).filter(|more| *more > 0) {
            let text = match len {
                1 => format!("    [the frame above repeats {more} more times]\n"),
                _ => format!("    [the {len} frames above repeat {more} more times]\n"),
            };
            entries.push(Entry { text, frames: len.saturating_mul(more) });
        }
        rows = rows.get(len.saturating_mul(count)..).unwrap_or_default();
    }
    entries
}

/// Returns how many times the first `len` rows stand there, one after the other.
fn repeats(rows: &[String], len: usize) -> usize {
    let first = rows.get(..len);
    rows.chunks_exact(len).take_while(|chunk| Some(*chunk) == first).count()
}

/// Leaves out the middle of a long stack.
fn shorten(mut entries: Vec<Entry>) -> Vec<Entry> {
    if let Some(end) = entries.len().checked_sub(INNERMOST).filter(|end| *end > OUTERMOST.saturating_add(1)) {
        let left_out: usize = entries.drain(OUTERMOST..end).map(|entry| entry.frames).sum();
        entries.insert(OUTERMOST, Entry { text: format!("    [{left_out} frames left out]\n"), frames: left_out });
    }
    entries
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn shown(names: &[&str]) -> String {
        let rows: Vec<String> = names.iter().map(|name| format!("{name}\n")).collect();
        shorten(fold(&rows)).iter().map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn a_cycle_is_shown_once_with_its_count() {
        assert_eq!(shown(&["a", "b", "b", "b", "c"]), "a\nb\nb\nb\nc\n");
        assert_eq!(shown(&["a", "b", "b", "b", "b", "c"]), "a\nb\n    [the frame above repeats 3 more times]\nc\n");
        let mutual = [&["a"][..], &["f", "g"].repeat(100), &["f", "h"]].concat();
        assert_eq!(shown(&mutual), "a\nf\ng\n    [the 2 frames above repeat 99 more times]\nf\nh\n");
    }

    #[test]
    fn a_long_stack_loses_its_middle() {
        let names: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let lines = shown(&names);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 19);
        assert_eq!(lines[8..11], ["8", "    [12 frames left out]", "21"]);
        assert_eq!(shown(&names[..19]).lines().count(), 19, "no line is saved");
        assert!(!shown(&names[..19]).contains("left out"));
    }
}
