//! Tests of the helpers that tests share, `tests/common`.

use wasmlark::Limits;

use crate::directives::Directives;
use crate::golden::difference;

fn parse(text: &str) -> Result<Directives, String> {
    Directives::parse(text.lines())
}

#[test]
fn all_directives() {
    let text = "# A title: with a colon.\n# limits: fuel=none memory=65536\n# limits: ticks=9\n\
                # file: lib.star\n#| def f():\n#|     return 1\n#|\n# backtrace: on\n# native: needs a host\n# skip: takes long\nx = 1 # not: one\n";
    let want = Directives {
        has_backtrace: true,
        limits: Limits::new().fuel(None).memory(65_536).ticks(9),
        files: vec![("lib.star".to_owned(), "def f():\n    return 1\n\n".to_owned())],
        native: Some("needs a host".to_owned()),
        skip: Some("takes long".to_owned()),
    };
    assert_eq!(parse(text).unwrap(), want);
    assert_eq!(parse("x = 1\n").unwrap(), Directives::default());
}

#[test]
fn mistakes_are_errors() {
    for (text, error) in [
        ("# limits: fule=5", "there is no limit `fule`; did you mean `fuel`?"),
        ("# limits: fuel", "`fuel` does not set a limit"),
        ("# limits: ticks=none", "limit `ticks`: expected a whole number, got `none`"),
        ("# limits: ticks=-1", "limit `ticks`: expected a whole number, got `-1`"),
        (
            "# limit: fuel=5",
            "`# limit: fuel=5`: unknown directive; the directives are: limits, file, backtrace: on, native: REASON, skip: REASON",
        ),
        ("# skip:", "`# skip:` needs a reason"),
        ("x = 1\n#| y = 2", "`#| y = 2` belongs to no `# file:`"),
    ] {
        assert_eq!(parse(text).unwrap_err(), error);
    }
}

#[test]
fn the_first_difference_is_shown() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    let shown = |expected, actual| difference(expected, actual).unwrap_or_default();
    assert_eq!(shown("a\nb\n", "a\nc\n"), "2\n  expected: \"b\"\n  got:      \"c\"");
    assert_eq!(shown("a\n", "a\nc\n"), "2\n  expected: the end\n  got:      \"c\"");
    assert_eq!(shown("a\n", "a"), " the texts differ in their line endings");
}
