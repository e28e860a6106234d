//! The lines of the source that an error is about, with marks below them.

use starlark::codemap::{FileSpan, Pos, Span};
use unicode_width::UnicodeWidthChar;

/// The lines of an excerpt that are shown at its beginning and its end, if it has more than these and one between.
const FIRST_LINES: usize = 6;
const LAST_LINES: usize = 3;

/// The length in characters of a line that is shown whole, and what is shown of a longer one.
const MAX_LINE: usize = 140;
const WINDOW: usize = 120;
/// What is shown of a long line to the left of the place, at least.
const CONTEXT: usize = 40;

/// Returns the part of a place that marks can stand under: without blanks at its end. The end of the text is a place at
/// the end of its last line that is not blank.
pub(super) fn visible(place: &FileSpan) -> FileSpan {
    let text = place.file.source();
    let (begin, end) = (offset(place.span.begin()), offset(place.span.end()));
    let span = match (text.get(begin..), text.get(begin..end)) {
        (Some(rest), _) if rest.trim().is_empty() => {
            let end = text.trim_end().len();
            (end, end)
        }
        (_, Some(marked)) if !marked.trim().is_empty() => (begin, begin.saturating_add(marked.trim_end().len())),
        // Blanks alone may be what the error is about. starlark places a tab that indents at the line feed before it.
        (Some(rest), _) => {
            let blanks = rest.len().saturating_sub(rest.trim_start().len());
            match rest.get(..blanks).and_then(|blanks| blanks.find('\t')) {
                Some(tab) => (begin.saturating_add(tab), begin.saturating_add(tab).saturating_add(1)),
                None => (begin, end),
            }
        }
        _ => (begin, end),
    };
    FileSpan { file: place.file.clone(), span: Span::new(position(span.0), position(span.1)) }
}

fn offset(position: Pos) -> usize {
    position.get() as usize
}

fn position(offset: usize) -> Pos {
    Pos::new(u32::try_from(offset).unwrap_or(u32::MAX))
}

/// Renders the file, line and column of a place, its lines, and the marks below them.
pub(super) fn render(place: &FileSpan) -> String {
    let resolved = place.resolve_span();
    let (begin, end) = (resolved.begin, resolved.end);
    let number = end.line.saturating_add(1);
    let width = number.to_string().len();
    let margin = " ".repeat(width);
    let (line, column) = (begin.line.saturating_add(1), begin.column.saturating_add(1));
    let mut out = format!("{margin}--> {}:{line}:{column}\n{margin} |\n", place.filename());
    if begin.line == end.line {
        let row = Row::new(place.file.source_line(begin.line), begin.column);
        let from = row.column(begin.column);
        let marks = row.column(end.column).saturating_sub(from).max(1);
        out.push_str(&format!("{line:>width$} | {}\n", row.text));
        out.push_str(&format!("{margin} | {}{}\n", " ".repeat(from), "^".repeat(marks)));
    } else {
        let first_end = begin.line.saturating_add(FIRST_LINES);
        let last_begin = number.saturating_sub(LAST_LINES);
        for line in begin.line..=end.line {
            if line == first_end && first_end.saturating_add(1) < last_begin {
                out.push_str("...\n");
            }
            if (first_end..last_begin).contains(&line) && first_end.saturating_add(1) < last_begin {
                continue;
            }
            let focus = if line == begin.line { begin.column } else { 0 };
            let focus = if line == end.line { end.column.saturating_sub(1) } else { focus };
            let row = Row::new(place.file.source_line(line), focus);
            let beside = match (line == begin.line, begin.column) {
                (true, 0) => '/',
                (true, _) => ' ',
                (false, _) => '|',
            };
            out.push_str(&format!("{:>width$} | {beside} {}\n", line.saturating_add(1), row.text));
            if line == begin.line && begin.column > 0 {
                out.push_str(&format!("{margin} |  {}^\n", "_".repeat(row.column(begin.column).saturating_add(1))));
            }
            if line == end.line {
                out.push_str(&format!("{margin} | |{}^\n", "_".repeat(row.column(end.column).max(1))));
            }
        }
    }
    out.push_str(&format!("{margin} |\n"));
    out
}

/// A line, or the part of a long line around a place.
struct Row {
    text: String,
    /// The characters of the source that are shown, and the index of the first of them.
    shown: Vec<char>,
    start: usize,
    /// The columns in front of them.
    lead: usize,
}

impl Row {
    fn new(line: &str, focus: usize) -> Self {
        let whole = line.chars().nth(MAX_LINE).is_none();
        let start = if whole || focus < WINDOW - CONTEXT { 0 } else { focus.saturating_sub(CONTEXT) };
        let start = start.min(line.chars().count().saturating_sub(WINDOW));
        let mut rest = line.chars().skip(start);
        let shown: Vec<char> = rest.by_ref().take(if whole { MAX_LINE } else { WINDOW }).collect();
        let lead = if start > 0 { "..." } else { "" };
        let trail = if rest.next().is_some() { "..." } else { "" };
        // A tab is as wide as the terminal likes.
        let content = shown.iter().collect::<String>().replace('\t', &" ".repeat(TAB));
        Self { text: format!("{lead}{content}{trail}"), shown, start, lead: lead.len() }
    }

    /// Returns the column in which the character at `index` of the line is shown, at most the end of the part shown.
    fn column(&self, index: usize) -> usize {
        let before = self.shown.iter().take(index.saturating_sub(self.start));
        before.map(|c| width(*c)).fold(self.lead, usize::saturating_add)
    }
}

const TAB: usize = 4;

fn width(c: char) -> usize {
    match c {
        '\t' => TAB,
        c => c.width().unwrap_or(0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use starlark::codemap::CodeMap;
    use starlark_syntax::span_display::span_display;

    use super::*;

    fn place(text: &str, begin: usize, end: usize) -> FileSpan {
        let file = CodeMap::new("a.star".to_owned(), text.to_owned());
        FileSpan { file, span: Span::new(position(begin), position(end)) }
    }

    /// Renders the first place where `part` stands.
    fn excerpt(text: &str, part: &str) -> String {
        let begin = text.find(part).unwrap();
        render(&visible(&place(text, begin, begin + part.len())))
    }

    #[test]
    fn a_tab_is_marked_in_its_own_line() {
        // starlark's place is the line feed before it, or a part of the blanks.
        for (text, begin, end) in [("a = 1\n\n\n\tb = 2\n", 7, 8), ("a = 1\n\n\n\tb = 2\n", 5, 9)] {
            let expected = " --> a.star:4:1\n  |\n4 |     b = 2\n  | ^^^^\n  |\n";
            assert_eq!(render(&visible(&place(text, begin, end))), expected);
        }
    }

    #[test]
    fn as_starlark_where_both_can() {
        let text = "def f(x):\n  return [\n    'é', '日本',\n    x]\n\n\nf(1)\n# a longer line, the last\n".repeat(3);
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let mut compared = 0;
        for begin in &ends {
            for end in ends.iter().filter(|end| *end > begin) {
                // starlark marks blanks and ends of lines otherwise, or not at all.
                let marked = &text[*begin..*end];
                if marked.starts_with('\n') || marked.ends_with(char::is_whitespace) || marked.lines().count() > 9 {
                    continue;
                }
                let place = place(&text, *begin, *end);
                let theirs = span_display(Some(place.as_ref()), "", false).to_string();
                assert_eq!(format!("error\n{}", render(&place)), theirs + "\n", "{marked:?}");
                compared += 1;
            }
        }
        assert!(compared > 5000, "{compared}");
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("x = [{}fail(), {}]", "1, ".repeat(1000), "2, ".repeat(1000));
        let shown = excerpt(&text, "fail()");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], " --> a.star:1:3006");
        assert!(lines.iter().all(|line| line.len() < 140), "{shown}");
        assert!(lines[2].starts_with("1 | ... 1, 1,") && lines[2].ends_with("2, ..."), "{shown}");
        let mark = lines[3].find('^').unwrap();
        assert_eq!(lines[2].get(mark..mark + 6), Some("fail()"));
        assert_eq!(lines[3].len(), mark + 6);
        // All of the line is marked that is shown.
        let shown = excerpt(&text, &text);
        assert_eq!(shown.matches('^').count(), WINDOW);
    }

    #[test]
    fn many_lines_lose_their_middle() {
        let text = format!("f(\n{})\n", "    1,\n".repeat(100));
        let shown = excerpt(&text, text.trim_end());
        assert_eq!(shown.lines().count(), 2 + FIRST_LINES + 1 + LAST_LINES + 1 + 1, "{shown}");
        assert!(shown.contains("  6 | |     1,\n...\n100 | |     1,\n"), "{shown}");
        assert!(shown.contains("102 | | )\n    | |_^\n"), "{shown}");
    }

    #[test]
    fn the_end_of_the_text_is_the_end_of_its_last_line() {
        let text = "x = (\n\n";
        let shown = render(&visible(&place(text, text.len(), text.len())));
        assert_eq!(shown, " --> a.star:1:6\n  |\n1 | x = (\n  |      ^\n  |\n");
        assert_eq!(render(&visible(&place("", 0, 0))), " --> a.star:1:1\n  |\n1 | \n  | ^\n  |\n");
    }

    #[test]
    fn marks_stand_under_what_follows_a_tab() {
        assert_eq!(excerpt("\tfail()", "fail"), " --> a.star:1:2\n  |\n1 |     fail()\n  |     ^^^^\n  |\n");
    }
}
