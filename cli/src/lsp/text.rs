//! Places in a text: the protocol counts lines from 0, and in a line units of UTF-16; `wasmlark` counts characters from 1.

use serde_json::{Value, json};

use super::wire::INVALID_PARAMS;

/// A place as `wasmlark` counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Returns the lines of a text. A carriage return before the end of a line is a part of it, so that columns agree.
fn line(text: &str, line: usize) -> &str {
    text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default()
}

/// Reads a position of the protocol. One behind the end of its line means that end.
pub fn place(text: &str, position: &Value) -> Result<Place, (i32, String)> {
    let number = |name: &str| position.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (Some(at_line), Some(units)) = (number("line"), number("character")) else {
        return Err((INVALID_PARAMS, "a position has a line and a character".to_owned()));
    };
    let at_line = at_line.saturating_add(1);
    let mut passed: usize = 0;
    let before = line(text, at_line).trim_end_matches('\r').chars().take_while(|c| {
        passed = passed.saturating_add(c.len_utf16());
        passed <= units
    });
    let column = before.count().saturating_add(1);
    Ok(Place { line: at_line, column })
}

/// Returns the position of the protocol.
pub fn position(text: &str, place: Place) -> Value {
    let before = line(text, place.line).chars().take(place.column.saturating_sub(1));
    let units: usize = before.map(char::len_utf16).sum();
    json!({ "line": place.line.saturating_sub(1), "character": units })
}

pub fn range(text: &str, begin: Place, end: Place) -> Value {
    json!({ "start": position(text, begin), "end": position(text, end) })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names with dots between them.
#[derive(Debug, PartialEq, Eq)]
pub struct Path {
    pub parts: Vec<String>,
    /// Where the first begins.
    pub begin: Place,
}

/// Returns the path around a place, up to the name at that place: `wasm.Memory` at `Mem` in `wasm.Memory.read`.
pub fn path(text: &str, place: Place) -> Option<Path> {
    let chars: Vec<char> = line(text, place.line).chars().collect();
    let at = place.column.saturating_sub(1);
    let (before, after) = chars.split_at_checked(at)?;
    let after = after.iter().take_while(|c| is_name(**c)).count();
    let before = before.iter().rev().take_while(|c| is_name(**c) || **c == '.').count();
    let begin = at.saturating_sub(before);
    let path: String = chars.get(begin..at.saturating_add(after))?.iter().collect();
    let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
    let is_path = parts.iter().all(|part| part.chars().next().is_some_and(|c| is_name(c) && !c.is_numeric()));
    is_path.then(|| Path { parts, begin: Place { line: place.line, column: begin.saturating_add(1) } })
}

/// Returns what stands before a place in its line.
pub fn before(text: &str, place: Place) -> String {
    line(text, place.line).chars().take(place.column.saturating_sub(1)).collect()
}

/// Returns the text with another line in the place of one.
pub fn with_line(text: &str, number: usize, new: &str) -> String {
    let lines = text.split('\n').enumerate();
    let lines: Vec<&str> = lines.map(|(at, line)| if at.saturating_add(1) == number { new } else { line }).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Path, Place, before, path, place, position, with_line};
    use serde_json::json;

    #[test]
    fn units_of_utf16_become_characters() {
        let text = "a\r\né😀b\n";
        for (line, character, column) in [(1, 0, 1), (1, 1, 2), (1, 3, 3), (1, 4, 4), (2, 0, 1)] {
            let at = json!({ "line": line, "character": character });
            let found = Place { line: line + 1, column };
            assert_eq!(place(text, &at), Ok(found));
            assert_eq!(position(text, found), at);
        }
        let at = |line: u64, character: u64| place(text, &json!({ "line": line, "character": character }));
        assert_eq!(at(0, 99), Ok(Place { line: 1, column: 2 }));
        assert_eq!(at(99, u64::MAX), Ok(Place { line: 100, column: 1 }));
        assert!(place(text, &json!({ "line": -1, "character": 0 })).is_err());
    }

    #[test]
    fn paths_end_with_the_name_at_the_place() {
        let found = |column| path("x = wasm.Memory(1).a", Place { line: 1, column });
        let memory = Path { parts: vec!["wasm".to_owned(), "Memory".to_owned()], begin: Place { line: 1, column: 5 } };
        assert_eq!(found(11), Some(memory));
        assert_eq!(found(7).map(|path| path.parts), Some(vec!["wasm".to_owned()]));
        // After `.a` of a call, after `1`, and behind the end.
        assert_eq!((found(21), found(17), found(99)), (None, None, None));
        assert_eq!(before("aé.b", Place { line: 1, column: 4 }), "aé.");
        assert_eq!(with_line("a\nb\nc", 2, "x"), "a\nx\nc");
    }
}
