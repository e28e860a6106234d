//! Translation from the text format to the binary format.

use wast::Wat;
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{ParseBuffer, parse};

use crate::wording::COMPONENT;

/// Returns the binary form of a module in text form. An error shows the line. `name` is the text's file, if it is in one.
///
/// Does not use the crate `wat`, which refuses text with characters that look like others or change the direction of
/// writing. In names, these are part of the format and of the specification's tests.
pub(crate) fn to_binary(text: &str, name: Option<&str>) -> Result<Vec<u8>, String> {
    if is_component(text) {
        // Whether the parser knows components depends on the features that other crates enable.
        return Err(COMPONENT.to_owned());
    }
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

/// The message quotes the line that is wrong, and a generated text may be a single line.
fn shortened(message: &str) -> String {
    const MAX_CHARS: usize = 160;
    let lines = message.lines().map(|line| match line.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns whether the text begins like a component.
fn is_component(text: &str) -> bool {
    let lexer = Lexer::new(text);
    let mut at = 0;
    let tokens = std::iter::from_fn(|| lexer.parse(&mut at).ok().flatten());
    let significant = tokens.filter(|token| {
        !matches!(token.kind, TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment)
    });
    significant.take(2).map(|token| token.src(text)).eq(["(", "component"])
}
