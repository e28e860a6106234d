//! Names and lines of a text that need not parse, since it is being typed.

/// Returns a line, by its number from 1. A carriage return before its end is a part of it, so that columns agree.
fn line(text: &str, number: usize) -> &str {
    text.split('\n').nth(number.saturating_sub(1)).unwrap_or_default()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names with dots between them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) parts: Vec<String>,
    /// The column at which the first begins, in characters from 1.
    pub(super) column: usize,
}

/// Returns the path around a place, up to the name at that place: `wasm.Memory` at `Mem` in `wasm.Memory.read`.
pub(super) fn path(text: &str, number: usize, column: usize) -> Option<Path> {
    let chars: Vec<char> = line(text, number).chars().collect();
    let at = column.saturating_sub(1);
    let (before, after) = chars.split_at_checked(at)?;
    let after = after.iter().take_while(|c| is_name(**c)).count();
    let before = before.iter().rev().take_while(|c| is_name(**c) || **c == '.').count();
    let begin = at.saturating_sub(before);
    let path: String = chars.get(begin..at.saturating_add(after))?.iter().collect();
    let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
    let is_path = parts.iter().all(|part| part.chars().next().is_some_and(|c| is_name(c) && !c.is_numeric()));
    is_path.then(|| Path { parts, column: begin.saturating_add(1) })
}

/// Returns what stands before a place in its line.
pub(super) fn before(text: &str, number: usize, column: usize) -> String {
    line(text, number).chars().take(column.saturating_sub(1)).collect()
}

/// Returns the text with another line in the place of one.
pub(super) fn with_line(text: &str, number: usize, new: &str) -> String {
    let lines = text.split('\n').enumerate();
    let lines: Vec<&str> = lines.map(|(at, line)| if at.saturating_add(1) == number { new } else { line }).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Path, before, path, with_line};

    #[test]
    fn paths_end_with_the_name_at_the_place() {
        let found = |column| path("x = wasm.Memory(1).a", 1, column);
        let memory = Path { parts: vec!["wasm".to_owned(), "Memory".to_owned()], column: 5 };
        assert_eq!(found(11), Some(memory));
        assert_eq!(found(7).map(|path| path.parts), Some(vec!["wasm".to_owned()]));
        // After `.a` of a call, after `1`, and behind the end.
        assert_eq!((found(21), found(17), found(99)), (None, None, None));
        assert_eq!(before("aé.b", 1, 4), "aé.");
        assert_eq!(with_line("a\nb\nc", 2, "x"), "a\nx\nc");
    }
}
