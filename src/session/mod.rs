//! A script that was run, and whose functions can be called after that.

mod call_limits;
#[cfg(feature = "isolated")]
mod elsewhere;
mod files;
mod functions;
mod globals;
mod guard;
mod live;
mod loader;
mod mailbox;
mod memories;
mod names;
mod printer;
mod program;
mod supervisor;
mod whole;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

pub use self::call_limits::CallLimits;
#[cfg(feature = "isolated")]
pub(crate) use self::elsewhere::{Elsewhere, PreparedElsewhere};
pub(crate) use self::files::{Files, Source};
pub use self::functions::{Param, ParamKind, ScriptFunction};
pub(crate) use self::globals::{grant, sandbox_globals};
use self::live::live;
pub(crate) use self::mailbox::{Answer, Request};
use self::mailbox::{Call, Mailbox};
pub use self::memories::MemoryInfo;
pub(crate) use self::names::language_names;
pub use self::program::Program;
use self::whole::Whole;
use crate::data::{Data, Output};
use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::profile::Profile;
use crate::value::Value;

/// What a script spent. The same script with the same files and arguments spends the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stats {
    /// WebAssembly fuel; `None` where it is not metered.
    pub fuel: Option<u64>,
    /// Starlark ticks, including those of loaded files.
    pub ticks: u64,
    /// The most bytes of linear memory in use at once.
    pub memory_peak: u64,
    /// All instructions of the evaluator and of its guests; `None` where the sandbox is not [isolated](crate::Sandbox::isolated).
    pub cost: Option<u64>,
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
        self.call_with(name, args, (), CallLimits::new())
    }

    /// Calls the function that the script has under this name, with arguments by position and by name, and with limits of
    /// its own. Those by name are a map or a struct, `()` for none.
    ///
    /// A limit is held within what the session has left. After a call that one ended, the session can be called again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wasmlark::{CallLimits, ErrorKind, Limit, Sandbox};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Options { indent: u32 }
    ///
    /// let script = "def repeat(text, n, indent = 0):\n    return [' ' * indent + text for _ in range(n)]";
    /// let mut session = Sandbox::new().load("repeat.star", script)?;
    /// let limits = CallLimits::new().fuel(1_000_000).ticks(100).deadline(Duration::from_secs(5));
    /// let lines: Vec<String> = session.call_with("repeat", ("a", 2), Options { indent: 1 }, limits)?;
    /// assert_eq!(lines, [" a", " a"]);
    ///
    /// let error = session.call_with::<Vec<String>>("repeat", ("a", 1 << 20), (), limits).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
    /// assert_eq!(error.message(), "the call's ticks are used up: its limit `ticks` is 100");
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`call`](Self::call); also if a limit of the call is reached, or the sandbox cannot keep it.
    #[cfg(feature = "serde")]
    pub fn call_with<R: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        args: impl serde::Serialize,
        kwargs: impl serde::Serialize,
        limits: CallLimits,
    ) -> Result<R, Error> {
        let within = |error: Error| error.within(&format!("cannot call `{name}`"));
        let args = Value::arguments(&args).map_err(within)?;
        let kwargs = Value::named_arguments(&kwargs).map_err(within)?;
        let result = self.send_call(name, args, kwargs, limits)?;
        result.to().map_err(|error| error.within(&format!("the result of `{name}` does not fit")))
    }

    /// Calls the function that the script has under this name.
    ///
    /// # Errors
    ///
    /// If there is no such function, an argument cannot be passed (it contains a [`Value::Opaque`], or is nested deeper
    /// than 200 levels), the call fails, a limit ends it, or its result is nested too deeply or too large to leave the script.
    pub fn call_values(&mut self, name: &str, args: &[Value]) -> Result<Value, Error> {
        self.send_call(name, args.to_vec(), Vec::new(), CallLimits::new())
    }

    /// Does what [`call_with`](Self::call_with) does, without serde.
    ///
    /// # Errors
    ///
    /// Those of [`call_values`](Self::call_values); also if a limit of the call is reached, or the sandbox cannot keep it.
    pub fn call_values_with(
        &mut self,
        name: &str,
        args: &[Value],
        kwargs: &[(&str, Value)],
        limits: CallLimits,
    ) -> Result<Value, Error> {
        let kwargs = kwargs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.send_call(name, args.to_vec(), kwargs, limits)
    }

    fn send_call(
        &mut self,
        name: &str,
        args: Vec<Value>,
        kwargs: Vec<(String, Value)>,
        limits: CallLimits,
    ) -> Result<Value, Error> {
        self.value(Request::Call(Call { name: name.to_owned(), args, kwargs, limits }))
    }

    /// Gives the session once more what the sandbox's limits allow to be spent: fuel, ticks and printed bytes. What is in
    /// use counts as before: memories, tables, instances, files, the heap. So do [`stats`](Self::stats).
    ///
    /// ```
    /// use wasmlark::{ErrorKind, Limit, Limits, Sandbox};
    ///
    /// let script = "def work():\n    for _ in range(600): pass";
    /// let mut session = Sandbox::new().limits(Limits::new().ticks(1000)).load("work.star", script)?;
    /// session.call_values("work", &[])?;
    /// assert_eq!(session.call_values("work", &[]).unwrap_err().kind(), ErrorKind::Limit(Limit::Ticks));
    /// session.refill()?;
    /// session.call_values("work", &[])?;
    /// assert!(session.stats().ticks > 1600);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the session has ended because a call panicked.
    pub fn refill(&mut self) -> Result<(), Error> {
        self.ask(Request::Refill).map(|_| ())
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
        self.value(Request::Eval { name: name.to_owned(), text: text.to_owned() })
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
        let names = self.value(Request::Names { path: path.map(str::to_owned) }).unwrap_or_default();
        let names = names.as_slice().unwrap_or_default().iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    }

    /// Returns where the name begins that ends at the byte `end` of a line, and what it may become: names that
    /// [`names`](Self::names) returns, and keywords, sorted.
    ///
    /// ```
    /// let mut session = wasmlark::Sandbox::new().load("main.star", "memory = wasm.Memory(1)")?;
    /// assert_eq!(session.complete("x = memory.gr", 13), (11, vec!["grow".to_owned()]));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn complete(&mut self, line: &str, end: usize) -> (usize, Vec<String>) {
        crate::lang::complete(line, end, |path| self.names(path))
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

    /// Returns the session as bytes, from which [`Sandbox::restore`](crate::Sandbox::restore) goes on, here or on another machine. They
    /// have all that the script and its guests have in memory, the files of WASI, and what was spent: a few hundred KiB
    /// for a small script. Output that was not taken is not among them.
    ///
    /// # Errors
    ///
    /// If the sandbox is not [isolated](crate::Sandbox::isolated), or the session has ended.
    #[cfg(feature = "isolated")]
    pub fn save(&self) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Place::Here(_) => Err(not_isolated("saved")),
            Place::Isolated(remote) => remote.save(),
        }
    }

    /// Returns a session that goes on from what this one is now: what the one does, the other does not see.
    ///
    /// ```ignore (needs the evaluator's module)
    /// use wasmlark::{Sandbox, Value};
    ///
    /// let script = "seen = []\ndef see(name):\n    seen.append(name)\n    return seen";
    /// let mut session = Sandbox::new().isolated(true).load("main.star", script)?;
    /// session.call_values("see", &["ann".into()])?;
    /// let mut other = session.fork()?;
    /// assert_eq!(session.call_values("see", &["bob".into()])?.to_string(), r#"["ann", "bob"]"#);
    /// assert_eq!(other.call_values("see", &["eve".into()])?.to_string(), r#"["ann", "eve"]"#);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save`](Self::save).
    #[cfg(feature = "isolated")]
    pub fn fork(&self) -> Result<Self, Error> {
        match &self.0 {
            Place::Here(_) => Err(not_isolated("forked")),
            Place::Isolated(remote) => remote.fork(),
        }
    }

    /// Returns the means to end a call of this session from another thread.
    ///
    /// It reaches Starlark code always; a guest that runs on without a call of a script, only where the sandbox is
    /// [`interruptible`](crate::Sandbox::interruptible). After that, the session can be called again; state that the call
    /// changed stays changed. What stops the script's own statements, before there is a session, is
    /// [`Sandbox::interrupt`](crate::Sandbox::interrupt).
    pub fn interrupt(&self) -> Interrupt {
        match &self.0 {
            Place::Here(whole) => whole.files.interrupt.clone(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.interrupt(),
        }
    }

    /// Takes what the script printed and wrote to standard output since it was last asked; what is not UTF-8 is replaced.
    /// Empty where [`Sandbox::on_print`](crate::Sandbox::on_print) or [`Sandbox::on_write`](crate::Sandbox::on_write) takes it.
    pub fn take_output(&mut self) -> String {
        self.take_all_output().text
    }

    /// Takes the bytes that [`take_output`](Self::take_output) takes as text.
    pub fn take_output_bytes(&mut self) -> Vec<u8> {
        self.data().take_output_bytes()
    }

    pub(crate) fn take_all_output(&mut self) -> Output {
        self.data().take_output()
    }

    /// Takes what the script wrote to standard error since it was last asked; empty where
    /// [`Sandbox::on_write_error`](crate::Sandbox::on_write_error) takes that.
    pub fn take_error_output(&mut self) -> Vec<u8> {
        self.data().take_error_output()
    }

    /// Takes the files that the script wrote since it was last asked, by their names. A failed call may have written some.
    pub fn take_files(&mut self) -> BTreeMap<String, Vec<u8>> {
        match &mut self.0 {
            Place::Here(whole) => whole.files.data().take_files(),
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.take_files(),
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
                whole.mailbox.send(request);
                resume(whole)
            }
            #[cfg(feature = "isolated")]
            Place::Isolated(remote) => remote.ask(request),
        }
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
fn not_isolated(what: &str) -> Error {
    Error::value(format!("only a session of an isolated sandbox can be {what}: see `Sandbox::isolated`"))
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
