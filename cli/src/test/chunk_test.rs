//! Tests that are chunks: how they are run and judged.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use wasmlark::{Error, ErrorKind, Limits, Sandbox};

use super::chunk::{Chunk, Mark};
use super::file::{Manner, TestFile};
use super::outcome::{Outcome, Status, Update};

/// A chunk to run.
pub struct ChunkTest {
    file: Arc<TestFile>,
    /// The chunk, or why it cannot be run, with the number of its first line.
    chunk: Result<Chunk, (usize, String)>,
}

/// What is wrong with a run.
struct Failure {
    /// The line, from 1.
    line: usize,
    text: String,
}

impl ChunkTest {
    /// Reads a file, and returns its chunks.
    pub fn all(path: &Path, manner: &Manner<'_>) -> Result<Vec<Self>, Box<Outcome>> {
        let failed = |message: String| Outcome::of_file(path, message.clone(), format!("error: {message}"));
        let file = Arc::new(TestFile::read(path, manner.options).map_err(failed)?);
        let of_chunk = |(line, chunk): (usize, Result<Chunk, _>)| Self {
            file: file.clone(),
            chunk: chunk.map_err(|mistake: super::chunk::Mistake| {
                (line, format!("{}:{}: {}", file.shown, mistake.line, mistake.text))
            }),
        };
        Ok(Chunk::cut(&file.text, &manner.options.limits.0).into_iter().map(of_chunk).collect())
    }

    /// Returns the test's full name.
    pub fn title(&self) -> String {
        format!("{}:{}", self.file.shown, self.name())
    }

    /// Returns the limits that it runs under.
    pub fn limits(&self) -> Option<&Limits> {
        self.chunk.as_ref().ok().map(|chunk| &chunk.directives.limits)
    }

    fn name(&self) -> String {
        match &self.chunk {
            Ok(chunk) => format!("{}: {}", chunk.line, chunk.title),
            Err((line, _)) => line.to_string(),
        }
    }

    /// Runs the chunk, and returns what became of it.
    pub fn run(&self, manner: &Manner<'_>) -> Outcome {
        let outcome = |status| Outcome::new(&self.file.shown, Some(self.name()), status);
        let chunk = match &self.chunk {
            Ok(chunk) => chunk,
            Err((_, mistake)) => {
                return outcome(Status::Failed { message: mistake.clone(), report: mistake.clone() });
            }
        };
        let native = chunk.directives.native.as_ref().filter(|_| manner.options.isolated);
        if let Some(reason) = chunk.directives.skip.as_ref().or(native) {
            return outcome(Status::Skipped { reason: reason.clone() });
        }
        let start = Instant::now();
        let mut run = Run { file: &self.file, chunk, manner, outcome: outcome(Status::Passed) };
        let failures: Vec<String> = run.all().into_iter().map(|failure| run.at(&failure)).collect();
        let mut outcome = run.outcome;
        outcome.time = start.elapsed();
        if let Some(first) = failures.first() {
            let message = first.lines().next().unwrap_or_default().to_owned();
            outcome.status = Status::Failed { message, report: failures.join("\n") };
        }
        outcome
    }
}

/// A chunk that is being run.
struct Run<'a> {
    file: &'a TestFile,
    chunk: &'a Chunk,
    manner: &'a Manner<'a>,
    outcome: Outcome,
}

impl Run<'_> {
    /// Runs the chunk once for each mark, with `pass` in place of the other marked lines. A chunk whose marks are all at the
    /// top level is also run without any marked line, so that everything else in it runs to the end.
    fn all(&mut self) -> Vec<Failure> {
        let Chunk { marks, directives, .. } = self.chunk;
        let sandbox = self.file.sandbox_with(&directives.files, &directives.limits, self.manner);
        let sandbox = sandbox.backtrace(directives.has_backtrace || self.manner.options.guests.backtrace);
        if !marks.iter().any(|mark| mark.is_nested)
            && let Err(error) = self.evaluate(&sandbox, None)
        {
            // Every other run would fail for the same reason.
            return vec![self.unexpected(&error)];
        }
        marks.iter().filter_map(|mark| self.expect(&sandbox, mark)).collect()
    }

    fn evaluate(&mut self, sandbox: &Sandbox, expected: Option<&Mark>) -> Result<(), Error> {
        let script = self.chunk.script(expected);
        let report = self.manner.timed(&sandbox.interrupt(), || sandbox.report(&self.file.name, &script));
        self.outcome.output.push_str(&report.output);
        self.outcome.output.push_str(&String::from_utf8_lossy(&report.error_output));
        self.outcome.profiles.extend(report.profile);
        report.result.map(|_| ())
    }

    /// Runs the chunk with one marked line.
    fn expect(&mut self, sandbox: &Sandbox, mark: &Mark) -> Option<Failure> {
        let fail = |text: String| Some(Failure { line: mark.line, text });
        let error = match self.evaluate(sandbox, Some(mark)) {
            Ok(()) => {
                return fail(
                    "this line has a mark, but did not fail, or was not reached; take the mark away, or let the line fail".to_owned(),
                );
            }
            Err(error) => error,
        };
        let line = self.line(&error);
        // Some limits end a run at no line in particular.
        let is_here = line == Some(mark.line) || line.is_none() && matches!(error.kind(), ErrorKind::Limit(_));
        let message = error.message().trim().replace('\n', "\\n");
        if matches!(error.kind(), ErrorKind::Deadline | ErrorKind::Interrupted) {
            fail(format!("the run for this mark took too long\n{error}"))
        } else if !is_here {
            let place = line.map_or_else(|| "something else".to_owned(), |line| format!("line {line}"));
            fail(format!("{place} failed, and not this line, which has a mark\n{error}"))
        } else if message == mark.message {
            None
        } else if self.manner.options.update {
            self.outcome.updates.push(Update { line: mark.line, old: mark.message.clone(), new: message });
            None
        } else {
            fail(format!(
                "this line failed with another message (- its mark, + the script); `--update` writes the new one\n{}",
                difference(&mark.message, &message)
            ))
        }
    }

    /// Tells of an error that no mark announces.
    fn unexpected(&self, error: &Error) -> Failure {
        if error.kind() == ErrorKind::Deadline {
            return Failure { line: self.chunk.line, text: format!("the chunk took too long\n{error}") };
        }
        match self.line(error) {
            Some(line) => {
                let text = format!("this line failed; if it should, write `### MESSAGE` behind it\n{error}");
                Failure { line, text }
            }
            None => Failure { line: self.chunk.line, text: format!("the chunk failed\n{error}") },
        }
    }

    /// Returns the line of the chunk where an error is: if it arose in another file, that of the innermost call that led there.
    fn line(&self, error: &Error) -> Option<usize> {
        let mut places = error.location().into_iter().chain(error.call_sites().iter().rev());
        places.find(|place| place.file == self.file.name).map(|place| place.line)
    }

    fn at(&self, failure: &Failure) -> String {
        format!("{}:{}: {}\n", self.file.shown, failure.line, failure.text.trim_end())
    }
}

/// Shows how two messages differ, one or more lines of each.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split("\\n").collect(), new.split("\\n").collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle =
        |rest: &[&str]| rest.iter().take(rest.len().saturating_sub(tail)).map(|line| (*line).to_owned()).collect();
    let (removed, added): (Vec<String>, Vec<String>) = (middle(old_rest), middle(new_rest));
    let lines = |sign: char, lines: &[String]| lines.iter().map(|line| format!("{sign} {line}\n")).collect::<String>();
    let same = |lines: &[&str]| lines.iter().map(|line| format!("  {line}\n")).collect::<String>();
    let caret = match (removed.as_slice(), added.as_slice()) {
        ([one], [other]) => caret(one, other),
        _ => String::new(),
    };
    let end = new_rest.get(new_rest.len().saturating_sub(tail)..).unwrap_or_default();
    same(new.get(..head).unwrap_or_default()) + &lines('-', &removed) + &lines('+', &added) + &caret + &same(end)
}

/// Points at the place where two lines begin to differ.
fn caret(old: &str, new: &str) -> String {
    let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    format!("  {}^\n", " ".repeat(same))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn messages_are_compared_by_lines() {
        assert_eq!(difference("a b", "a c"), "- a b\n+ a c\n    ^\n");
        assert_eq!(difference("", "a"), "- \n+ a\n  ^\n");
        assert_eq!(difference("a\\nb\\nc", "a\\nx\\ny\\nc"), "  a\n- b\n+ x\n+ y\n  c\n");
        assert_eq!(difference("a", "a\\na"), "  a\n+ a\n");
    }
}
