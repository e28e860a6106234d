//! Runs: what a script did, as texts and numbers.

use std::sync::OnceLock;

use wasmlark::{Error, ErrorKind, Report, Stats, Value};

use crate::misuse::{Misuse, Status, guard, status, tell};
use crate::objects::{self, Handle};
use crate::value;

/// What a script did: all of it, its load for a session, or one call.
pub(crate) struct Run {
    output: String,
    result: Result<Value, Error>,
    /// `None` where it is not known.
    stats: Option<Stats>,
    /// The value as text, which the caller gets a pointer to: made when it is asked for.
    value: OnceLock<String>,
}

impl Run {
    pub(crate) fn new(output: String, result: Result<Value, Error>, stats: Option<Stats>) -> Self {
        Self { output, result, stats, value: OnceLock::new() }
    }
}

impl From<Report> for Run {
    fn from(report: Report) -> Self {
        Self::new(report.output, report.result, Some(report.stats))
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Kind {
    /// At its end.
    Done = 0,
    /// The script failed: its syntax, its types, a `fail(…)`.
    Script = 1,
    /// A value of the wrong type or out of range.
    Value = 2,
    /// Bytes that are no module, or one that cannot run here.
    Module = 3,
    /// Imports and exports that do not fit each other.
    Link = 4,
    /// A handle whose store is closed, or of another evaluation.
    Handle = 5,
    /// A file that is not there.
    Load = 6,
    /// WebAssembly code trapped: `WASMLARK_TEXT_TRAP` has the code.
    Trap = 7,
    /// A limit ended it: `WASMLARK_TEXT_LIMIT` has its name.
    Limit = 8,
    /// Something that this interface has no number for yet.
    Other = 9,
    /// A function of the application failed.
    Host = 10,
    /// The script ended itself with `exit(code)`: `WASMLARK_NUMBER_EXIT_CODE` has the code, which is not 0.
    Exit = 11,
    /// A `wasmlark_interrupt_now` ended it.
    Interrupted = 12,
    /// A deadline ended it: another time it might not.
    Deadline = 13,
    /// A panic ended it, which is a defect of wasmlark or of a library that it stands on. The session has ended.
    Internal = 14,
    /// The object is no run.
    NoRun = -1,
}

/// The texts of a run, UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Text {
    /// What the script printed and wrote to standard output, as far as no function took it; what is not UTF-8 is replaced.
    /// Empty for a load of a session that failed.
    Output = 0,
    /// The value that `wasmlark_run_value` gives, as Starlark source; absent where it failed.
    Value = 1,
    /// Why it failed, for a person to read, with source and frames; absent where it did not.
    Error = 2,
    /// The error's message alone.
    Message = 3,
    /// The trap's code, as in "unreachable"; absent where it was no trap.
    Trap = 4,
    /// The limit's name, as in "fuel"; absent where it was none.
    Limit = 5,
    /// The name of the script that the error happened in, where there is one.
    File = 6,
}

impl Text {
    const ALL: [Self; 7] = [Self::Output, Self::Value, Self::Error, Self::Message, Self::Trap, Self::Limit, Self::File];
}

/// The numbers of a run. What a session spent is counted from its load to the end of the call; it is absent where the
/// load failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum RunNumber {
    /// WebAssembly fuel that was used; absent where it is not metered.
    Fuel = 0,
    /// Starlark ticks.
    Ticks = 1,
    /// The most bytes of linear memory in use at once.
    MemoryPeak = 2,
    /// The line of the error, from 1, where there is one.
    Line = 3,
    /// The column of the error in characters, from 1, where there is one.
    Column = 4,
    /// The exit code, as an `int32_t`, where a WASI guest, or the script itself, ended the script by one.
    ExitCode = 5,
}

impl RunNumber {
    const ALL: [Self; 6] = [Self::Fuel, Self::Ticks, Self::MemoryPeak, Self::Line, Self::Column, Self::ExitCode];
}

/// How the script ended.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_run_kind(run: Handle) -> Kind {
    let kind = || {
        let run = objects::run(run)?;
        let Err(error) = &run.result else { return Ok(Kind::Done) };
        Ok(match error.kind() {
            ErrorKind::Script => Kind::Script,
            ErrorKind::Value => Kind::Value,
            ErrorKind::Module => Kind::Module,
            ErrorKind::Link => Kind::Link,
            ErrorKind::Handle => Kind::Handle,
            ErrorKind::Load => Kind::Load,
            ErrorKind::Trap(_) => Kind::Trap,
            ErrorKind::Limit(_) => Kind::Limit,
            ErrorKind::Host => Kind::Host,
            ErrorKind::Exit => Kind::Exit,
            ErrorKind::Interrupted => Kind::Interrupted,
            ErrorKind::Deadline => Kind::Deadline,
            ErrorKind::Internal => Kind::Internal,
            _ => Kind::Other,
        })
    };
    guard(kind, |_| Kind::NoRun)
}

/// One of the texts of a run, a `wasmlark_text`; its length in bytes goes to `length`. Null if it is absent,
/// or the call makes no sense. It lives until the run is freed.
///
/// # Safety
///
/// `length` is null, or a `size_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_run_text(run: Handle, text: u32, length: *mut usize) -> *const u8 {
    guard(
        || {
            let report = objects::run(run)?;
            let wanted = Text::ALL.into_iter().find(|known| *known as u32 == text);
            let found = text_of(&report, wanted.ok_or_else(|| Misuse::unknown("text", text))?);
            let found = found.ok_or_else(|| absent("text", text))?;
            // SAFETY: the caller's duty, above.
            unsafe { tell(length, found.len()) };
            // The number of the run keeps it alive.
            Ok(found.as_ptr())
        },
        |_| {
            // SAFETY: as above.
            unsafe { tell(length, 0) };
            std::ptr::null()
        },
    )
}

/// One of the numbers of a run, a `wasmlark_number`: it goes to `value`.
///
/// # Safety
///
/// `value` is null, which is an error, or a `uint64_t` can be written there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmlark_run_number(run: Handle, number: u32, value: *mut u64) -> Status {
    status(|| {
        if value.is_null() {
            return Err(Misuse::new(Status::Null, "the place for the number is null"));
        }
        let report = objects::run(run)?;
        let wanted = RunNumber::ALL.into_iter().find(|known| *known as u32 == number);
        let found = number_of(&report, wanted.ok_or_else(|| Misuse::unknown("number", number))?);
        let found = found.ok_or_else(|| absent("number", number))?;
        // SAFETY: not null; the rest is the caller's duty, above.
        unsafe { value.write(found) };
        Ok(())
    })
}

/// The value of a run's last statement, or of a call, as a value; `None` for the load of a session. 0 where the run failed. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_run_value(run: Handle) -> Handle {
    guard(
        || match &objects::run(run)?.result {
            Ok(value) => value::add(value.clone()),
            Err(_) => Err(Misuse::new(Status::Absent, "this run has no value: it failed")),
        },
        |_| 0,
    )
}

/// `None` where the run has no such text.
fn text_of(run: &Run, text: Text) -> Option<&str> {
    let error = run.result.as_ref().err();
    match text {
        Text::Output => Some(&run.output),
        Text::Value => run.result.as_ref().ok().map(|value| run.value.get_or_init(|| value.to_string()).as_str()),
        Text::Error => error.map(Error::text),
        Text::Message => error.map(Error::message),
        Text::Trap => match error?.kind() {
            ErrorKind::Trap(code) => Some(code.as_str()),
            _ => None,
        },
        Text::Limit => match error?.kind() {
            ErrorKind::Limit(limit) => Some(limit.as_str()),
            _ => None,
        },
        Text::File => Some(&error?.location()?.file),
    }
}

/// `None` where the run has no such number.
fn number_of(run: &Run, number: RunNumber) -> Option<u64> {
    let error = run.result.as_ref().err();
    match number {
        RunNumber::Fuel => run.stats?.fuel,
        RunNumber::Ticks => Some(run.stats?.ticks),
        RunNumber::MemoryPeak => Some(run.stats?.memory_peak),
        RunNumber::Line => Some(error?.location()?.line as u64),
        RunNumber::Column => Some(error?.location()?.column as u64),
        RunNumber::ExitCode => Some(i64::from(error?.exit_code()?).cast_unsigned()),
    }
}

fn absent(what: &str, which: u32) -> Misuse {
    Misuse::new(Status::Absent, format!("this run has no {what} {which}"))
}
