//! A script that was run, and whose functions can be called after that.

mod call_limits;
mod calls;
#[cfg(feature = "isolated")]
mod copies;
#[cfg(feature = "serde")]
mod direct;
#[cfg(feature = "isolated")]
mod elsewhere;
mod files;
mod functions;
mod globals;
mod guard;
#[cfg(feature = "serde")]
mod lent;
mod live;
mod loader;
mod mailbox;
mod memories;
mod names;
mod output;
mod printer;
mod program;
mod prompt;
mod stats;
mod supervisor;
mod whole;

use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub use self::call_limits::CallLimits;
#[cfg(feature = "isolated")]
pub(crate) use self::elsewhere::{Elsewhere, PreparedElsewhere};
pub(crate) use self::files::{Files, Source};
pub use self::functions::{Param, ParamKind, ScriptFunction};
pub(crate) use self::globals::{grant, sandbox_globals};
#[cfg(feature = "serde")]
use self::lent::DirectCall;
use self::live::live;
pub(crate) use self::mailbox::{Answer, Request};
use self::mailbox::{Mailbox, Work};
pub use self::memories::MemoryInfo;
pub(crate) use self::names::language_names;
pub use self::program::Program;
pub use self::stats::Stats;
use self::whole::Whole;
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::profile::Profile;
use crate::value::Value;

/// A script that [`Sandbox::load`](crate::Sandbox::load) has run: its globals, its instances, its memories.
///
/// Its functions are called by name, as often as wanted, and find everything as the last call left it.
///
/// ```
/// use wasmlark::{Sandbox, Value};
///
/// let script = r#"
/// counter = wasm.instantiate(wasm.wat('''(module
///     (global $n (mut i32) (i32.const 0))
///     (func (export "add") (param i32) (result i32)
///         (global.set $n (i32.add (global.get $n) (local.get 0)))
///         (global.get $n)))'''))
///
/// def add(n):
///     return counter.exports.add(n)
/// "#;
/// let mut session = Sandbox::new().load("counter.star", script)?;
/// assert_eq!(session.call_values("add", &[Value::from(40)])?, Value::from(40));
/// assert_eq!(session.call_values("add", &[Value::from(2)])?, Value::from(42));
/// # Ok::<(), wasmlark::Error>(())
/// ```
///
/// All calls together have the sandbox's limits, which [`refill`](Session::refill) renews; a call may have
/// [limits of its own](Session::call_with). After an error, a trap among them, a session can be called again,
/// unless a limit is used up; state that the failed call changed stays changed.
///
/// A session can be moved to another thread between two calls. Sessions in many threads share what was compiled.
pub struct Session(Place);

/// Where the evaluation is.
enum Place {
    Here(Whole),
    #[cfg(feature = "isolated")]
    Isolated(Box<dyn Elsewhere>),
}

impl Session {
    /// Runs a script. Returns the session with the value of the script's last statement, or with its error: what was
    /// printed and spent is known in both cases.
    pub(crate) fn start(files: Files, name: &str, source: Source) -> (Self, Result<Value, Error>) {
        let files = Rc::new(files);
        let mailbox = Rc::new(Mailbox::default());
        let evaluation = live(files.clone(), mailbox.clone(), name.to_owned(), source);
        let mut whole = Whole { files, mailbox, evaluation: Some(Box::pin(evaluation)) };
        let result = resume(&mut whole).map(Answer::into_value);
        let session = Self(Place::Here(whole));
        (session, result)
    }

    /// Returns the value of a global variable of the script; `None` if there is none of this name. Names that begin with
    /// an underscore are the script's own.
    ///
    /// # Errors
    ///
    /// If the value is nested too deeply or too large to leave the script.
    pub fn get(&mut self, name: &str) -> Result<Option<Value>, Error> {
        match self.ask(Request::Get { name: name.to_owned() })? {
            Answer::Value(value) => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// Returns the functions that the script has, with their parameters, in the order in which it defines them.
    ///
    /// They are what [`call`](Self::call) finds: `def`s, lambdas and builtins under names of the script, loaded ones
    /// among them, except for names that begin with an underscore. Functions of a guest can be called but are not listed.
    ///
    /// ```
    /// let script = "
    /// def greet(name, *, greeting = 'hello'):
    ///     'Greets somebody.'
    ///     return greeting + ' ' + name
    /// def _helper(): pass
    /// ";
    /// let mut session = wasmlark::Sandbox::new().load("main.star", script)?;
    /// let [greet] = &session.functions()?[..] else { panic!() };
    /// assert_eq!(greet.to_string(), "greet(name, *, greeting = \"hello\")");
    /// assert_eq!(greet.doc.as_deref(), Some("Greets somebody."));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the session has ended because a call panicked.
    pub fn functions(&mut self) -> Result<Vec<ScriptFunction>, Error> {
        match self.ask(Request::Functions)? {
            Answer::Functions(functions) => Ok(functions),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the linear memories of the script: those that its variables lead to, sorted by the variables' names, then
    /// those of the other instances in the default store and in the script's stores. A memory with several names is listed
    /// once.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.write_string(8, 'hello')";
    /// let mut session = wasmlark::Sandbox::new().load("main.star", script)?;
    /// let memories = session.memories()?;
    /// assert_eq!((memories[0].name.as_str(), memories[0].size), ("memory", 65536));
    /// assert_eq!(session.read_memory("memory", 8, 5)?, b"hello");
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the session has ended because a call panicked.
    pub fn memories(&mut self) -> Result<Vec<MemoryInfo>, Error> {
        match self.ask(Request::Memories)? {
            Answer::Memories(memories) => Ok(memories),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns `length` bytes at `offset` of the memory that [`memories`](Self::memories) lists under this name. It costs
    /// the script neither fuel nor heap.
    ///
    /// # Errors
    ///
    /// If there is no such memory, or the range reaches beyond its end.
    pub fn read_memory(&mut self, name: &str, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        match self.value(Request::Memory { name: name.to_owned(), offset, length })? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the means to end a call of this session from another thread.
    ///
    /// It reaches Starlark code always; a guest that runs on without a call of a script, only where the sandbox is
    /// [`interruptible`](crate::Sandbox::interruptible) or isolated. After that, the session can be called again; state that
    /// the call changed stays changed. What stops the script's own statements, before there is a session, is
    /// [`Sandbox::interrupt`](crate::Sandbox::interrupt).
    pub fn interrupt(&self) -> Interrupt {
        match &self.0 {
            Place::Here(whole) => whole.files.interrupt.clone(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.interrupt(),
        }
    }

    /// Returns what the script and all calls spent until now.
    pub fn stats(&self) -> Stats {
        match &self.0 {
            Place::Here(whole) => whole.files.stats(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.stats(),
        }
    }

    /// Returns what the fuel was spent on until now, where [`Sandbox::profile`](crate::Sandbox::profile) asks for it.
    pub fn profile(&self) -> Option<Profile> {
        match &self.0 {
            Place::Here(whole) => whole.files.profile(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.profile(),
        }
    }

    fn data(&self) -> &Data {
        match &self.0 {
            Place::Here(whole) => whole.files.data(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.data(),
        }
    }

    /// Lets the evaluation work until it has a value.
    fn value(&mut self, request: Request) -> Result<Value, Error> {
        self.ask(request).map(Answer::into_value)
    }

    /// Lets the evaluation work until it has a reply.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Answer, Error> {
        match &mut self.0 {
            Place::Here(whole) => {
                whole.mailbox.send(Work::Request(request));
                resume(whole)
            }
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.ask(request),
        }
    }
}

#[cfg(feature = "serde")]
impl Whole {
    /// Lets the evaluation make a call.
    fn call(&mut self, call: &dyn DirectCall) -> Result<Answer, Error> {
        let mailbox = self.mailbox.clone();
        mailbox.send(Work::DirectCall);
        mailbox.lent.lend(call, || resume(self))
    }
}

fn resume(whole: &mut Whole) -> Result<Answer, Error> {
    let ended = || Error::new(ErrorKind::Script, "the session has ended: a call panicked");
    // Not put back if this panics: a future that panicked must not be polled.
    let mut evaluation = whole.evaluation.take().ok_or_else(ended)?;
    let poll = evaluation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    if poll == Poll::Pending {
        whole.evaluation = Some(evaluation);
    }
    let reply = whole.mailbox.receive().unwrap_or_else(|| Err(ended()));
    if reply.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
        whole.files.interrupt.clear();
    }
    reply
}

#[cfg(feature = "isolated")]
impl Session {
    pub(crate) fn isolated(evaluation: impl Elsewhere + 'static) -> Self {
        Self(Place::Isolated(Box::new(evaluation)))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
