//! A script that was run, and whose functions can be called after that.

mod evaluate;
mod globals;
mod mailbox;
mod printer;
mod program;
mod whole;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use self::evaluate::live;
pub(crate) use self::evaluate::{Files, Source, grant, sandbox_globals};
use self::mailbox::{Mailbox, Request};
pub use self::program::Program;
use self::whole::Whole;
use crate::data::Output;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::value::Value;

/// What a script spent. The same script with the same files and arguments spends the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// WebAssembly fuel; `None` where it is not metered.
    pub fuel: Option<u64>,
    /// Starlark ticks, including those of loaded files.
    pub ticks: u64,
    /// The most bytes of linear memory in use at once.
    pub memory_peak: u64,
}

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
/// All calls together have the sandbox's limits. After an error, a trap among them, a session can be called again,
/// unless a limit is used up; state that the failed call changed stays changed.
///
/// A session can be moved to another thread between two calls. Sessions in many threads share what was compiled.
pub struct Session(Whole);

impl Session {
    /// Runs a script. Returns the session with the value of the script's last statement, or with its error: what was
    /// printed and spent is known in both cases.
    pub(crate) fn start(files: Files, name: &str, source: Source) -> (Self, Result<Value, Error>) {
        let files = Rc::new(files);
        let mailbox = Rc::new(Mailbox::default());
        let evaluation = live(files.clone(), mailbox.clone(), name.to_owned(), source);
        let mut session = Self(Whole { files, mailbox, evaluation: Some(Box::pin(evaluation)) });
        let result = session.resume().map(Option::unwrap_or_default);
        (session, result)
    }

    /// Calls the function that the script has under this name, with arguments and a result of any types that serde knows.
    /// The arguments are a tuple, or a list.
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// struct Request { user: String, size: u64 }
    /// #[derive(serde::Deserialize)]
    /// struct Decision { allow: bool, reason: Option<String> }
    ///
    /// let policy = "
    /// def decide(request, quota):
    ///     if request['size'] <= quota:
    ///         return {'allow': True}
    ///     return {'allow': False, 'reason': request['user'] + ' has no more than ' + str(quota)}
    /// ";
    /// let mut session = wasmlark::Sandbox::new().load("policy.star", policy)?;
    /// let request = Request { user: "ann".into(), size: 5 };
    /// let decision: Decision = session.call("decide", (&request, 3))?;
    /// assert!(!decision.allow);
    /// assert_eq!(decision.reason.as_deref(), Some("ann has no more than 3"));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`call_values`](Self::call_values); also if an argument is nested deeper than 200 levels or its `Serialize`
    /// fails, and if the result does not fit its type: then the call was made all the same.
    #[cfg(feature = "serde")]
    pub fn call<R: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        args: impl serde::Serialize,
    ) -> Result<R, Error> {
        let args = Value::arguments(&args).map_err(|error| error.within(&format!("cannot call `{name}`")))?;
        let result = self.call_values(name, &args)?;
        result.to().map_err(|error| error.within(&format!("the result of `{name}` does not fit")))
    }

    /// Calls the function that the script has under this name.
    ///
    /// # Errors
    ///
    /// If there is no such function, an argument cannot be passed (it contains a [`Value::Opaque`], or is nested deeper
    /// than 200 levels), the call fails, a limit ends it, or its result is nested too deeply or too large to leave the script.
    pub fn call_values(&mut self, name: &str, args: &[Value]) -> Result<Value, Error> {
        self.0.mailbox.send(Request::Call { name: name.to_owned(), args: args.to_vec() });
        self.resume().map(Option::unwrap_or_default)
    }

    /// Returns the value of a global variable of the script; `None` if there is none of this name. Names that begin with
    /// an underscore are the script's own.
    ///
    /// # Errors
    ///
    /// If the value is nested too deeply or too large to leave the script.
    pub fn get(&mut self, name: &str) -> Result<Option<Value>, Error> {
        self.0.mailbox.send(Request::Get { name: name.to_owned() });
        self.resume()
    }

    /// Evaluates more statements, as if they stood at the end of the script: they see its variables, and set them. Returns the
    /// value of the last statement; [`Value::None`] if that is not an expression. `name` is for messages.
    ///
    /// ```
    /// let mut session = wasmlark::Sandbox::new().load("main.star", "x = 1")?;
    /// session.eval("<console>", "x += 41")?;
    /// assert_eq!(session.eval("<console>", "x")?.as_i64(), Some(42));
    /// assert!(session.eval("<console>", "y").is_err());
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a statement fails, or a limit ends it. What the ones before it did stays. `exit` is an error here with any code,
    /// 0 among them.
    pub fn eval(&mut self, name: &str, text: &str) -> Result<Value, Error> {
        self.0.mailbox.send(Request::Eval { name: name.to_owned(), text: text.to_owned() });
        self.resume().map(Option::unwrap_or_default)
    }

    /// Returns the names that a statement can begin with: the script's variables, and the language's own names. Or, if
    /// `path` is one such as `instance.exports`, the attributes of its value; none if it has no value. It is for completion at
    /// a prompt, and calls nothing.
    ///
    /// ```
    /// let mut session = wasmlark::Sandbox::new().load("main.star", "memory = wasm.Memory(1)")?;
    /// assert!(session.names(None).contains(&"memory".to_owned()));
    /// assert!(session.names(Some("memory")).contains(&"read_string".to_owned()));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn names(&mut self, path: Option<&str>) -> Vec<String> {
        self.0.mailbox.send(Request::Names { path: path.map(str::to_owned) });
        let names = self.resume().ok().flatten().unwrap_or_default();
        let names = names.as_slice().unwrap_or_default().iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    }

    /// Tells whether a text ends within a statement, and more lines can make it whole: with an open bracket, an open string
    /// of several lines, or a header such as `def f():`.
    ///
    /// ```
    /// use wasmlark::Session;
    ///
    /// assert!(Session::is_incomplete("f(1,") && Session::is_incomplete("for x in y:"));
    /// assert!(!Session::is_incomplete("f(1)") && !Session::is_incomplete("f(1))"));
    /// ```
    pub fn is_incomplete(text: &str) -> bool {
        crate::lang::is_incomplete(text)
    }

    /// Returns the means to end a call of this session from another thread.
    ///
    /// It reaches Starlark code always; a guest that runs on without a call of a script, only where the sandbox is
    /// [`interruptible`](crate::Sandbox::interruptible). After that, the session can be called again; state that the call
    /// changed stays changed.
    pub fn interrupt(&self) -> Interrupt {
        self.0.files.interrupt.clone()
    }

    /// Takes what the script printed and wrote to standard output since it was last asked; what is not UTF-8 is replaced.
    /// Empty where [`Sandbox::on_print`](crate::Sandbox::on_print) or [`Sandbox::on_write`](crate::Sandbox::on_write) takes it.
    pub fn take_output(&mut self) -> String {
        self.take_all_output().text
    }

    /// Takes the bytes that [`take_output`](Self::take_output) takes as text.
    pub fn take_output_bytes(&mut self) -> Vec<u8> {
        self.0.files.data().take_output_bytes()
    }

    pub(crate) fn take_all_output(&mut self) -> Output {
        self.0.files.data().take_output()
    }

    /// Takes what the script wrote to standard error since it was last asked; empty where
    /// [`Sandbox::on_write_error`](crate::Sandbox::on_write_error) takes that.
    pub fn take_error_output(&mut self) -> Vec<u8> {
        self.0.files.data().take_error_output()
    }

    /// Takes the files that the script wrote since it was last asked, by their names. A failed call may have written some.
    pub fn take_files(&mut self) -> BTreeMap<String, Vec<u8>> {
        self.0.files.data().take_files()
    }

    /// Returns what the script and all calls spent until now.
    pub fn stats(&self) -> Stats {
        self.0.files.stats()
    }

    /// Lets the evaluation work until it has a reply.
    fn resume(&mut self) -> Result<Option<Value>, Error> {
        let ended = || Error::new(ErrorKind::Script, "the session has ended: a call panicked");
        // Not put back if this panics: a future that panicked must not be polled.
        let mut evaluation = self.0.evaluation.take().ok_or_else(ended)?;
        let poll = evaluation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if poll == Poll::Pending {
            self.0.evaluation = Some(evaluation);
        }
        let reply = self.0.mailbox.receive().unwrap_or_else(|| Err(ended()));
        if reply.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
            self.0.files.interrupt.clear();
        }
        reply
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
