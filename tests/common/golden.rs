//! Goldens: files that hold what a test must produce.

use std::fs;
use std::path::Path;

/// Compares `actual` with the golden at `path`, which is relative to the package; with `UPDATE=1`, writes it there.
/// `command` is what runs this test. The error shows the first line that differs, and how to accept it.
pub fn compare(path: &str, actual: &str, command: &str) -> Result<(), String> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let path = path.trim_start_matches("../");
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(&full, actual).map_err(|error| format!("cannot write {path}: {error}"));
    }
    let what = match fs::read_to_string(&full) {
        Ok(expected) => difference(&expected, actual),
        Err(error) => Some(format!(" cannot be read: {error}")),
    };
    what.map_or(Ok(()), |what| Err(format!("{path}:{what}\nif that is right: UPDATE=1 {command}")))
}

/// Returns the first line that differs, with its number from 1.
pub fn difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (mut want, mut got) = (expected.lines(), actual.lines());
    for number in 1.. {
        match (want.next(), got.next()) {
            (None, None) => break,
            (want, got) if want == got => {}
            (want, got) => {
                let show = |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("{line:?}"));
                return Some(format!("{number}\n  expected: {}\n  got:      {}", show(want), show(got)));
            }
        }
    }
    Some(" the texts differ in their line endings".to_owned())
}
