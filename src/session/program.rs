//! A parsed script with the files that it loads, from which sessions are made.

use std::fmt;
use std::sync::Arc;

use starlark::syntax::AstModule;
use starlark_syntax::syntax::ast::{AstStmt, Stmt};

use super::Session;
use super::call_limits::CallLimits;
#[cfg(feature = "isolated")]
use super::elsewhere::PreparedElsewhere;
use super::files::{Files, Loaded, Source};
use super::loader::parse_and_load;
use crate::data::Channels;
use crate::engine::Engine;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::value::Value;

/// A script that [`Sandbox::program`](crate::Sandbox::program) has parsed. The files that it loads are evaluated and frozen.
///
/// A program is cheap to clone, and any number of threads can share it. [`session`](Self::session) runs only the script's
/// own statements. What they make, such as instances of WebAssembly modules, belongs to one session, so sessions share no
/// state. The files that the script loads were evaluated once. Their values are frozen, and all sessions share them.
///
/// ```
/// use wasmlark::{Sandbox, Value};
///
/// let mut sandbox = Sandbox::new();
/// sandbox.file("rates.star", "RATES = {'full': 19, 'reduced': 7}");
/// let script = "load('rates.star', 'RATES')\ndef tax(net, rate): return net * RATES[rate] // 100";
/// let program = sandbox.program("tax.star", script)?;
/// let threads = ["full", "reduced"].map(|rate| {
///     let program = program.clone();
///     std::thread::spawn(move || program.session()?.call_values("tax", &[Value::from(200), Value::from(rate)]))
/// });
/// let [full, reduced] = threads.map(|thread| thread.join().unwrap());
/// assert_eq!([full?, reduced?], [Value::from(38), Value::from(14)]);
/// # Ok::<(), wasmlark::Error>(())
/// ```
///
/// A session spends what the same script spends in [`Sandbox::load`](crate::Sandbox::load): each one counts the ticks and the
/// fuel of the loaded files. If [`Sandbox::on_print`](crate::Sandbox::on_print) is set, it gets what these files print once,
/// when the program is made. Otherwise that is part of each session's output, as are the files that they write.
#[derive(Clone)]
pub struct Program(Place);

/// Where the script was parsed.
#[derive(Clone)]
enum Place {
    Here(Arc<Inner>),
    #[cfg(feature = "isolated")]
    Isolated(Arc<dyn PreparedElsewhere>),
}

struct Inner {
    engine: Engine,
    args: Vec<String>,
    channels: Channels,
    interrupt: Interrupt,
    name: String,
    ast: AstModule,
    loaded: Loaded,
}

impl Program {
    pub(crate) fn new(
        engine: Engine,
        args: &[String],
        channels: Channels,
        interrupt: Interrupt,
        name: &str,
        script: &str,
    ) -> Result<Self, Error> {
        let files = Files::new(engine.clone(), args.to_vec(), channels.clone(), &interrupt);
        let ast = parse_and_load(&files, name, script.to_owned()).map_err(|error| files.explain(&error))?;
        let loaded = files.into_loaded();
        Ok(Self(Place::Here(Arc::new(Inner {
            engine,
            args: args.to_vec(),
            channels,
            interrupt,
            name: name.to_owned(),
            ast,
            loaded,
        }))))
    }

    #[cfg(feature = "isolated")]
    pub(crate) fn isolated(prepared: impl PreparedElsewhere + 'static) -> Self {
        Self(Place::Isolated(Arc::new(prepared)))
    }

    /// Runs the script's statements. Returns a session, whose functions can be called.
    ///
    /// # Errors
    ///
    /// If the script fails, or a limit ends it: see [`Error::kind`].
    pub fn session(&self) -> Result<Session, Error> {
        self.session_with(CallLimits::new())
    }

    /// Makes a [`session`](Self::session), with limits for the script's statements.
    ///
    /// ```
    /// use wasmlark::{CallLimits, ErrorKind, Limit};
    ///
    /// let program = wasmlark::Sandbox::new().program("main.star", "x = [n for n in range(1 << 20)]")?;
    /// let error = program.session_with(CallLimits::new().ticks(100)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`session`](Self::session); also if one of these limits is reached, or the sandbox cannot enforce it.
    pub fn session_with(&self, limits: CallLimits) -> Result<Session, Error> {
        let (session, result) = self.open(limits)?;
        result.map(|_| session)
    }

    /// Does what [`session_with`](Self::session_with) does, and keeps the session also where the script fails.
    pub(crate) fn open(&self, limits: CallLimits) -> Result<(Session, Result<Value, Error>), Error> {
        let Inner { engine, args, channels, interrupt, name, ast, loaded } = match &self.0 {
            Place::Here(inner) => &**inner,
            #[cfg(feature = "isolated")]
            Place::Isolated(prepared) => return prepared.begin(limits),
        };
        let mut files = Files::new(engine.clone(), args.clone(), channels.clone(), interrupt);
        limits.check(engine.limits())?;
        files.set_start_limits(limits);
        files.continue_from(loaded);
        Ok(Session::start(files, name, Source::Parsed(Box::new(ast.clone()))))
    }
}

impl Program {
    /// Returns the names of the functions that the script defines at its top level, in their order and each once. Nothing
    /// runs for that: [`Session::functions`] also knows the functions that only running the script makes.
    ///
    /// ```
    /// let program = wasmlark::Sandbox::new().program("main.star", "def a(): pass\ndef _b(): pass\nc = lambda: 1")?;
    /// assert_eq!(program.functions(), ["a", "_b"]);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn functions(&self) -> Vec<String> {
        match &self.0 {
            Place::Here(inner) => {
                let mut names = Vec::new();
                collect_functions(inner.ast.statement(), &mut names);
                names
            }
            #[cfg(feature = "isolated")]
            Place::Isolated(prepared) => prepared.functions().to_vec(),
        }
    }
}

fn collect_functions(statement: &AstStmt, names: &mut Vec<String>) {
    match &statement.node {
        Stmt::Def(function) if !names.contains(&function.name.ident) => names.push(function.name.ident.clone()),
        Stmt::Statements(statements) => statements.iter().for_each(|statement| collect_functions(statement, names)),
        _ => {}
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Place::Here(inner) => inner.name.as_str(),
            #[cfg(feature = "isolated")]
            Place::Isolated(prepared) => prepared.name(),
        };
        f.debug_struct("Program").field("name", &name).finish_non_exhaustive()
    }
}
