//! Chunks: how a file of them is cut.
//!
//! A line `---` ends a chunk. Each chunk is a script of its own. Its first line is a comment, its title. `### message` at
//! the end of a line is a mark: this line must fail, with this message, in which `\n` stands for a line feed.

use wasmlark::Limits;

use super::directives::{CONTENT, Directives, directive};

const SEPARATOR: &str = "---";
const MARK: &str = "###";

/// A part of a file that runs as a script of its own.
pub struct Chunk {
    /// The line of its title, from 1.
    pub line: usize,
    pub title: String,
    pub marks: Vec<Mark>,
    pub directives: Directives,
    /// The lines of the file up to the chunk's end, those before the chunk blank, so that lines keep their numbers.
    lines: Vec<String>,
}

/// What a line must fail with.
pub struct Mark {
    /// The line, from 1.
    pub line: usize,
    pub message: String,
    /// Whether the line is in a block.
    pub is_nested: bool,
}

/// What keeps a chunk from being run.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    pub text: String,
}

impl Chunk {
    /// Cuts the text of a file. Each chunk comes with the number of its first line; `limits` are those that hold where it
    /// sets no others.
    pub fn cut(text: &str, limits: &Limits) -> Vec<(usize, Result<Self, Mistake>)> {
        let lines: Vec<&str> = text.lines().collect();
        let (mut chunks, mut start) = (Vec::new(), 0_usize);
        for part in lines.split(|line| line.trim_end() == SEPARATOR) {
            chunks.push((start.saturating_add(1), Self::parse(start, part, limits)));
            start = start.saturating_add(part.len()).saturating_add(1);
        }
        chunks
    }

    /// Reads a chunk that begins after `start` lines.
    fn parse(start: usize, lines: &[&str], limits: &Limits) -> Result<Self, Mistake> {
        let line = start.saturating_add(1);
        let mistake = |line: usize, text: &str| Mistake { line, text: text.to_owned() };
        let title = lines.first().filter(|line| directive(line).is_none()).and_then(|line| line.strip_prefix("# "));
        let title = title.map(|title| title.trim().trim_end_matches('.')).filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| {
            mistake(line, "a chunk begins with a comment that is its title, such as `# Division by zero.`")
        })?;
        let numbered = || (line..).zip(lines.iter().copied()).skip(1);
        let directives = Directives::parse(limits, numbered())?;
        let mut marks = Vec::new();
        for (line, text) in numbered().filter(|(_, text)| !text.starts_with(CONTENT)) {
            let Some((code, message)) = text.split_once(MARK) else { continue };
            if code.trim().is_empty() {
                return Err(mistake(line, "a mark `### MESSAGE` stands behind a statement, on the same line"));
            }
            marks.push(Mark { line, message: message.trim().to_owned(), is_nested: code.starts_with([' ', '\t']) });
        }
        let blank = std::iter::repeat_n("", start);
        let lines = blank.chain(lines.iter().copied()).map(str::to_owned).collect();
        Ok(Self { line, title: title.to_owned(), marks, directives, lines })
    }

    /// Returns the chunk as it is written, as a script.
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// Returns the chunk as a script, with `pass` in place of the marked lines other than `expected`.
    pub fn script(&self, expected: Option<&Mark>) -> String {
        let mut marked = self.marks.iter().map(|mark| mark.line).peekable();
        let mut text = String::new();
        for (number, line) in (1..).zip(&self.lines) {
            let is_marked = marked.next_if_eq(&number).is_some();
            if is_marked && expected.is_none_or(|mark| mark.line != number) {
                let indent = line.len().saturating_sub(line.trim_start().len());
                text.push_str(line.get(..indent).unwrap_or_default());
                text.push_str("pass");
            } else {
                text.push_str(line);
            }
            text.push('\n');
        }
        text
    }
}

/// Puts new messages behind the marks of a file; `messages` are lines, from 1, and texts.
pub fn rewrite<'a>(text: &str, messages: impl IntoIterator<Item = (usize, &'a str)>) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (line, message) in messages {
        let Some(line) = line.checked_sub(1).and_then(|at| lines.get_mut(at)) else { continue };
        if let Some((code, _)) = line.split_once(MARK) {
            let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            let end = if line.ends_with('\n') { end } else { "" };
            *line = format!("{code}{MARK} {message}{end}");
        }
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    use wasmlark::Limits;

    use super::{Chunk, rewrite};

    #[test]
    fn lines_keep_their_numbers() {
        let text = "# One: a title.\nx = 1\n---\n# Two\ndef f():\n    f()  ### a ### b\ng()  ###c\r\n";
        let chunks: Vec<Chunk> =
            Chunk::cut(text, &Limits::new()).into_iter().filter_map(|(_, chunk)| chunk.ok()).collect();
        let shown: Vec<_> = chunks.iter().map(|chunk| (chunk.line, chunk.title.as_str(), chunk.script(None))).collect();
        let one = (1, "One: a title", "# One: a title.\nx = 1\n".to_owned());
        let two = (4, "Two", "\n\n\n# Two\ndef f():\n    pass\npass\n".to_owned());
        assert_eq!(shown, [one, two]);
        let marks: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| {
                chunk
                    .marks
                    .iter()
                    .map(|mark| (mark.line, mark.message.as_str(), mark.is_nested, chunk.script(Some(mark))))
            })
            .collect();
        let nested = "\n\n\n# Two\ndef f():\n    f()  ### a ### b\npass\n".to_owned();
        let last = "\n\n\n# Two\ndef f():\n    pass\ng()  ###c\n".to_owned();
        assert_eq!(marks, [(6, "a ### b", true, nested), (7, "c", false, last)]);
    }

    #[test]
    fn new_messages_replace_the_old_ones() {
        let text = "# One.\nf()  ### old\r\ng()  ### kept\nh()  ###";
        let new = "# One.\nf()  ### new\r\ng()  ### kept\nh()  ### last";
        assert_eq!(rewrite(text, [(2, "new"), (4, "last"), (9, "nowhere")]), new);
    }
}
