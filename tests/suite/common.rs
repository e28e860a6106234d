//! Tests of the helpers that tests share, `tests/common`.

use crate::golden::difference;

#[test]
fn the_first_difference_is_shown() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    let shown = |expected, actual| difference(expected, actual).unwrap_or_default();
    assert_eq!(shown("a\nb\n", "a\nc\n"), "2\n  expected: \"b\"\n  got:      \"c\"");
    assert_eq!(shown("a\n", "a\nc\n"), "2\n  expected: the end\n  got:      \"c\"");
    assert_eq!(shown("a\n", "a"), " the texts differ in their line endings");
}
