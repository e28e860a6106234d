//! Places that begin or end inside of a character.
//!
//! Upstream: starlark's lexer reports a bad escape in an f-string one byte before the position where it stopped. If a character
//! of several bytes ends there, the place begins inside of it, and looking up its text or its column panics.
//!
//! Upstream change: none known.
//!
//! Remove when: `f'\u11ʭ'` is an error whose place can be looked up in plain starlark.

use starlark::codemap::{FileSpan, Pos, Span};

/// Returns a place widened to whole characters of its file.
pub(crate) fn whole(place: &FileSpan) -> FileSpan {
    let text = place.file.source();
    let offset = |position: Pos| text.len().min(position.get() as usize);
    let begin = (0..=offset(place.span.begin())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let end = (offset(place.span.end())..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    // A file has less than 4 GiB, since starlark counts its bytes in 32 bits.
    let position = |offset: usize| Pos::new(u32::try_from(offset).unwrap_or(u32::MAX));
    FileSpan { file: place.file.clone(), span: Span::new(position(begin), position(end)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use starlark::codemap::CodeMap;

    use super::*;

    #[test]
    fn a_place_has_whole_characters() {
        let file = CodeMap::new("a.star".to_owned(), "aʭ€".to_owned());
        let widened = |begin, end| {
            let span = Span::new(Pos::new(begin), Pos::new(end));
            whole(&FileSpan { file: file.clone(), span }).source_span().to_owned()
        };
        assert_eq!(widened(0, 1), "a");
        assert_eq!(widened(0, 2), "aʭ");
        assert_eq!(widened(2, 3), "ʭ");
        assert_eq!(widened(2, 5), "ʭ€");
        assert_eq!(widened(2, 2), "ʭ");
        assert_eq!(widened(6, 6), "");
    }
}
