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

#[cfg(test)]
mod tests {
    use super::{Place, place, position};
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
}
