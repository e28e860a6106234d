//! The text format, translated to the binary format.

use wast::Wat;
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};

/// The binary form of a module in text form; the error shows the line. `name` is the text's file, where
/// it is in one.
///
/// Not by way of the crate `wat`: that refuses text with characters that look like others or change the
/// direction of writing. They are part of the format, and of the specification's tests, in names.
pub(crate) fn to_binary(text: &str, name: Option<&str>) -> Result<Vec<u8>, String> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let binary = ParseBuffer::new_with_lexer(lexer).and_then(|buffer| parse::<Wat<'_>>(&buffer)?.encode());
    binary.map_err(|mut error| {
        error.set_text(text);
        if let Some(name) = name {
            error.set_path(name.as_ref());
        }
        shortened(&error.to_string())
    })
}

/// The message quotes the line that is wrong, and text that a program made may be one line.
fn shortened(message: &str) -> String {
    const MAX_CHARS: usize = 160;
    let lines = message.lines().map(|line| match line.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
