//! The console on a terminal: lines that can be edited, with a history and completion.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Editor, Helper};
use wasmlark::Session;

use super::{Block, Repl};
use crate::exit;

/// Reads and evaluates until the end of input, or `exit`. Returns the exit status.
pub fn run(repl: &Rc<RefCell<Repl>>) -> Result<u8, String> {
    let failed = |error: ReadlineError| format!("cannot use the terminal: {error}");
    let mut editor = Editor::<Names, DefaultHistory>::new().map_err(failed)?;
    editor.set_helper(Some(Names(repl.clone())));
    let history = history();
    if let Some(file) = &history {
        let _ = editor.load_history(file);
    }
    println!("wasmlark {}: Ctrl-D ends this console", env!("CARGO_PKG_VERSION"));
    let status = read(&mut editor, repl).map_err(failed)?;
    if let Some(file) = &history {
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = editor.save_history(file);
    }
    Ok(status)
}

fn read(editor: &mut Editor<Names, DefaultHistory>, repl: &Rc<RefCell<Repl>>) -> Result<u8, ReadlineError> {
    let mut block = Block::default();
    loop {
        let prompt = if block.text.is_empty() { ">>> " } else { "... " };
        match editor.readline(prompt) {
            Ok(line) => {
                block.push(&line);
                // A block may go on until a line is empty.
                let is_block = block.text.trim_end().lines().last().is_some_and(|last| last.starts_with([' ', '\t']));
                if Session::is_incomplete(&block.text) || is_block && !line.trim().is_empty() {
                    continue;
                }
                let text = std::mem::take(&mut block.text);
                let _ = editor.add_history_entry(text.trim_end());
                if let Some(status) = repl.borrow_mut().evaluate(super::NAME, &text, true) {
                    return Ok(status);
                }
            }
            Err(ReadlineError::Interrupted) => block = Block::default(),
            Err(ReadlineError::Eof) => return Ok(exit::DONE),
            Err(error) => return Err(error),
        }
    }
}

/// The file of the history, where programs keep such things.
fn history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(folder.join("wasmlark/history"))
}

/// Completes names of the session.
struct Names(Rc<RefCell<Repl>>);

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let Ok(mut repl) = self.0.try_borrow_mut() else { return Ok((at, Vec::new())) };
        Ok(repl.session.complete(line, at))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}
