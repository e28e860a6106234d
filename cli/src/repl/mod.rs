//! `wasmlark repl`: statements as they are typed, or as they come from a pipe.

mod console;

use std::cell::RefCell;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use wasmlark::{ErrorKind, Interrupt, Sandbox, Session, Value};

use crate::exit::fail;
use crate::root::Root;
use crate::run::{Source, granting_root};
use crate::{args, exit, profile, streams, terminal};

/// What messages call the statements.
const NAME: &str = "<console>";

/// Evaluates statements until there are no more, and returns the exit status.
pub fn run(options: args::ReplArguments) -> u8 {
    match try_run(options) {
        Ok(status) => status,
        Err(message) => fail(&message),
    }
}

fn try_run(options: args::ReplArguments) -> Result<u8, String> {
    let source = options.script.map(|script| Source::read(&script, Vec::new())).transpose()?;
    let folder = source.as_ref().map_or_else(|| PathBuf::from("."), |source| source.folder.clone());
    let root = Root::of(options.root.as_ref().unwrap_or(&folder))?;
    let name = source.as_ref().map_or_else(|| NAME.to_owned(), |source| root.name_of(&source.name));
    let sandbox = granting_root(Sandbox::new().limits(options.limits.0).args(options.args), root)
        .interruptible(true)
        .backtrace(options.guests.backtrace)
        .profile(options.guests.profile.is_some())
        .stdin_from(|| Err("standard input is the console".to_owned()))
        .on_write(|bytes| {
            let _ = streams::print(bytes);
        })
        .on_write_error(|bytes| {
            let _ = io::stderr().write_all(bytes);
        });
    // A script that fails leaves what it has set until then.
    let session = sandbox.load(&name, "").map_err(|error| error.to_string())?;
    let is_terminal = io::stdin().is_terminal();
    let repl = Repl { session, has_failed: false, is_terminal, activity: Arc::default() };
    repl.handle_interrupts();
    let repl = Rc::new(RefCell::new(repl));
    let ended = source.and_then(|source| repl.borrow_mut().evaluate(&name, &source.text, false));
    let status = match ended {
        Some(status) => status,
        None if is_terminal => console::run(&repl)?,
        None => repl.borrow_mut().read_all(io::stdin().lock())?,
    };
    if let Some(file) = &options.guests.profile {
        profile::write(file, repl.borrow().session.profile().as_ref())?;
    }
    Ok(status)
}

struct Repl {
    session: Session,
    has_failed: bool,
    is_terminal: bool,
    activity: Arc<AtomicU8>,
}

/// What goes on when a Ctrl-C comes. A terminal that waits for a line sends none.
const WAITING: u8 = 0;
const RUNNING: u8 = 1;
/// The statements were asked to end, and have not yet.
const ENDING: u8 = 2;

impl Repl {
    /// Lets a Ctrl-C end what runs, and nothing more.
    fn handle_interrupts(&self) {
        let (interrupt, activity): (Interrupt, _) = (self.session.interrupt(), self.activity.clone());
        let handler = move || match activity.compare_exchange(RUNNING, ENDING, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => interrupt.now(),
            Err(_) => std::process::exit(exit::INTERRUPTED.into()),
        };
        // Without it a Ctrl-C ends the process.
        let _ = ctrlc::set_handler(handler);
    }

    /// Evaluates a piece, and prints its value or its error. Returns the exit status if that is the end.
    fn evaluate(&mut self, name: &str, text: &str, shows_value: bool) -> Option<u8> {
        self.activity.store(RUNNING, Ordering::Relaxed);
        let result = self.session.eval(name, text);
        self.activity.store(WAITING, Ordering::Relaxed);
        match result {
            Ok(Value::None) => None,
            Ok(value) if shows_value => streams::print(format!("{value}\n").as_bytes()).err().map(|_| exit::FAILED),
            Ok(_) => None,
            Err(error) if error.kind() == ErrorKind::Exit => Some(exit::status(&error)),
            Err(error) => {
                self.has_failed = true;
                eprintln!("{}", terminal::paint_report(error.to_string().trim_end()));
                (error.kind() == ErrorKind::Interrupted && !self.is_terminal).then_some(exit::INTERRUPTED)
            }
        }
    }

    /// Evaluates what comes from a pipe or a file.
    fn read_all(&mut self, input: impl BufRead) -> Result<u8, String> {
        let mut block = Block::default();
        for line in input.lines() {
            let line = line.map_err(|error| format!("cannot read standard input: {error}"))?;
            if let Some(text) = block.take_before(&line)
                && let Some(status) = self.evaluate(NAME, &text, true)
            {
                return Ok(status);
            }
            block.push(&line);
        }
        let status = self.evaluate(NAME, &block.text, true);
        Ok(status.unwrap_or(if self.has_failed { exit::FAILED } else { exit::DONE }))
    }
}

/// Lines that belong together.
#[derive(Default)]
struct Block {
    text: String,
}

impl Block {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Returns the statement that is whole in front of `line`, and begins anew.
    fn take_before(&mut self, line: &str) -> Option<String> {
        let begins = line.chars().next().is_some_and(|c| !c.is_whitespace() && !matches!(c, '#' | ')' | ']' | '}'));
        let goes_on = ["else", "elif"].iter().any(|word| {
            line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
        let is_whole = !self.text.trim().is_empty() && begins && !goes_on && !Session::is_incomplete(&self.text);
        is_whole.then(|| std::mem::take(&mut self.text))
    }
}
