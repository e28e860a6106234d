//! Chunks of test scripts: how they are cut, run and judged.

use wasmlark::{Error, ErrorKind, Sandbox};

use crate::directives::{Directives, directive};

const ASSERT: &str = include_str!("lib/assert.star");
const PRELUDE: &str = "load(\"assert.star\", \"eq\", \"true\")";
const SEPARATOR: &str = "---";
const MARK: &str = "###";

/// A part of a file that runs as a script of its own.
pub struct Chunk {
    pub file: String,
    /// The line of its title, from 1.
    pub line: usize,
    pub title: String,
    pub skip: Option<String>,
    /// The lines of the file up to the chunk's end, those before the chunk blank, so that lines keep their numbers.
    lines: Vec<String>,
    marks: Vec<Mark>,
    directives: Directives,
}

/// `### message`: the line must fail with this message.
struct Mark {
    /// The index of the line.
    at: usize,
    message: String,
}

/// What a case of a chunk got wrong.
pub struct Failure {
    /// The line from 1.
    pub line: usize,
    pub text: String,
    /// The message to expect instead, where that alone is wrong.
    pub message: Option<String>,
}

impl Chunk {
    /// Cuts the text of a file.
    pub fn parse(file: &str, text: &str) -> Result<Vec<Self>, String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut chunks = Vec::new();
        let mut start = 0;
        loop {
            let end = lines.iter().skip(start).position(|line| *line == SEPARATOR).map_or(lines.len(), |at| start + at);
            let chunk = Self::cut(file, &lines, start, end);
            chunks.push(chunk.map_err(|error| format!("tests/script/{file}:{}: {error}", start + 1))?);
            if end == lines.len() {
                return Ok(chunks);
            }
            start = end + 1;
        }
    }

    /// The chunk of the lines `start..end`. The prelude takes the place of its title.
    fn cut(file: &str, all: &[&str], start: usize, end: usize) -> Result<Self, String> {
        let title = all.get(start).and_then(|line| line.strip_prefix("# ")).filter(|_| directive(all[start]).is_none());
        let title = title.ok_or("a chunk begins with a comment that is its title")?.trim_end_matches('.').to_owned();
        let body = &all[start + 1..end];
        let directives = Directives::parse(body.iter().copied())?;
        let mut lines = vec![String::new(); start];
        lines.push(PRELUDE.to_owned());
        lines.extend(body.iter().map(|line| (*line).to_owned()));
        let mark = |(at, line): (usize, &String)| match line.split_once(MARK) {
            Some((_, message)) if !line.starts_with("#|") => Some(Mark { at, message: message.trim().to_owned() }),
            _ => None,
        };
        let marks = lines.iter().enumerate().filter_map(mark).collect();
        let native = directives.native.clone().filter(|_| is_isolated());
        let skip = directives.skip.clone().or(native);
        Ok(Self { file: file.to_owned(), line: start + 1, title, skip, lines, marks, directives })
    }

    pub fn name(&self) -> String {
        format!("{}: {}", self.filter(), self.title)
    }

    /// What selects this chunk alone, but for the colon that ends it.
    pub fn filter(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// Runs the chunk once for each mark, with `pass` in place of the other marked lines. A chunk whose marks are all
    /// at the top level is also run without any marked line, so that everything else in it runs to the end.
    pub fn run(&self) -> Vec<Failure> {
        let is_nested = |mark: &Mark| self.lines[mark.at].starts_with(' ');
        let whole = if self.marks.iter().any(is_nested) { None } else { self.run_case(None) };
        match whole {
            // Every other case would fail for the same reason.
            Some(failure) => vec![failure],
            None => self.marks.iter().filter_map(|mark| self.run_case(Some(mark))).collect(),
        }
    }

    fn run_case(&self, expected: Option<&Mark>) -> Option<Failure> {
        let result = self.evaluate(expected);
        let failure = |line: usize, text: String| Some(Failure { line, text, message: None });
        let (error, mark) = match (result, expected) {
            (Ok(()), None) => return None,
            (Ok(()), Some(mark)) => return failure(mark.at + 1, "this line should have failed".to_owned()),
            (Err(error), None) => return failure(self.line, format!("the chunk failed\n{error}")),
            (Err(error), Some(mark)) => (error, mark),
        };
        let line = mark.at + 1;
        let is_here = match error.location() {
            Some(place) => place.file == self.file && place.line == line,
            // Some limits end a run at no line in particular.
            None => matches!(error.kind(), ErrorKind::Limit(_)),
        };
        let message = error.message().replace('\n', "\\n");
        match is_here {
            false => failure(line, format!("another line failed\n{error}")),
            true if message == mark.message => None,
            true => {
                let text = format!("another message\n  expected: {}\n  got:      {message}", mark.message);
                Some(Failure { line, text, message: Some(message) })
            }
        }
    }

    fn evaluate(&self, expected: Option<&Mark>) -> Result<(), Error> {
        let mut lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let mut blanked = Vec::new();
        for mark in self.marks.iter().filter(|mark| expected.is_none_or(|expected| expected.at != mark.at)) {
            let code = lines[mark.at];
            let indent = &code[..code.len() - code.trim_start().len()];
            blanked.push((mark.at, format!("{indent}pass")));
        }
        blanked.iter().for_each(|(at, line)| lines[*at] = line);
        let sandbox = Sandbox::new().limits(self.directives.limits.clone());
        let mut sandbox = sandbox.backtrace(self.directives.has_backtrace);
        #[cfg(feature = "isolated")]
        {
            sandbox = sandbox.isolated(is_isolated());
        }
        sandbox.file("assert.star", ASSERT);
        for (name, content) in &self.directives.files {
            match name.ends_with(".wasm") {
                true => sandbox.file(name.as_str(), wat::parse_str(content).expect("a module in the text format")),
                false => sandbox.file(name.as_str(), content.as_str()),
            };
        }
        sandbox.run(&self.file, &(lines.join("\n") + "\n")).map(|_| ())
    }
}

/// Returns whether all chunks are to run isolated.
fn is_isolated() -> bool {
    cfg!(feature = "isolated") && std::env::var_os("ISOLATED").is_some()
}

/// Puts new messages behind the marks of a file; `messages` are lines, from 1, and texts.
pub fn rewrite<'a>(text: &str, messages: impl IntoIterator<Item = (usize, &'a str)>) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (line, message) in messages {
        let line = &mut lines[line - 1];
        if let Some((code, _)) = line.split_once(MARK) {
            *line = format!("{code}{MARK} {message}");
        }
    }
    lines.join("\n") + "\n"
}
