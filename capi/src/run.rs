//! Runs: what a script did, as texts and numbers.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use wasmlark::{Error, ErrorKind, Profile, Report, Session, Stats, Value};

use crate::misuse::{Misuse, Status, guard, status, tell};
use crate::objects::{self, Handle};
use crate::value;

/// The result of a whole script, of loading a session, or of one call.
pub(crate) struct Run {
    output: String,
    error_output: String,
    files: BTreeMap<String, Vec<u8>>,
    result: Result<Value, Error>,
    stats: Stats,
    /// `None` if the sandbox was not asked for it.
    profile: Option<Profile>,
    /// The value and the profile as texts, to which C gets pointers; made on demand.
    value: OnceLock<String>,
    folded: OnceLock<String>,
}

impl Run {
    /// Takes what a session has output and written since the last run.
    pub(crate) fn take(session: &mut Session, result: Result<Value, Error>) -> Self {
        Self {
            output: session.take_output(),
            error_output: lossy(session.take_error_output()),
            files: session.take_files(),
            result,
            stats: session.stats(),
            profile: session.profile(),
            value: OnceLock::new(),
            folded: OnceLock::new(),
        }
    }
}

impl From<Report> for Run {
    fn from(report: Report) -> Self {
        Self {
            output: report.output,
            error_output: lossy(report.error_output),
            files: report.files,
            result: report.result,
            stats: report.stats,
            profile: report.profile,
            value: OnceLock::new(),
            folded: OnceLock::new(),
        }
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Kind {
    /// The script completed.
    Done = 0,
    /// The script failed: a syntax error, a type error, a `fail(…)`.
    Script = 1,
    /// A value of the wrong type or out of range.
    Value = 2,
    /// Bytes that are not a module, or a module that cannot run here.
    Module = 3,
    /// Imports and exports that do not match.
    Link = 4,
    /// A handle whose store is closed or belongs to another evaluation.
    Handle = 5,
    /// A file that does not exist.
    Load = 6,
    /// WebAssembly code trapped: `WASMLARK_TEXT_TRAP` is the code.
    Trap = 7,
    /// A limit ended it: `WASMLARK_TEXT_LIMIT` is its name.
    Limit = 8,
    /// An error for which this interface has no number yet.
    Other = 9,
    /// A function of the application failed.
    Host = 10,
    /// The script ended itself with `exit(code)`: `WASMLARK_NUMBER_EXIT_CODE` is the code, which is not 0.
    Exit = 11,
    /// `wasmlark_interrupt_now` ended it.
    Interrupted = 12,
    /// A deadline ended it; it might not on another run.
    Deadline = 13,
    /// A panic ended it, which is a defect of wasmlark or of a library that it uses. The session has ended.
    Internal = 14,
    /// The object is not a run.
    NoRun = -1,
}

/// The texts of a run, in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Text {
    /// What the script printed and wrote to standard output, except what a print function took. Bytes that are not UTF-8
    /// are replaced.
    Output = 0,
    /// The value that `wasmlark_run_value` returns, as Starlark source; absent if the run failed.
    Value = 1,
    /// The full error for a person to read, with source and frames; absent if the run did not fail.
    Error = 2,
    /// The error's message alone.
    Message = 3,
    /// The trap's code, such as "unreachable"; absent if there was no trap.
    Trap = 4,
    /// The limit's name, such as "fuel"; absent if no limit was reached.
    Limit = 5,
    /// The name of the script in which the error happened, if known.
    File = 6,
    /// What the script wrote to standard error. Bytes that are not UTF-8 are replaced.
    ErrorOutput = 7,
    /// The fuel by functions, as folded stacks: see `wasmlark_sandbox_profile`, without which it is absent. For a session, from its
    /// load to the end of the call.
    Profile = 8,
}

impl Text {
    const ALL: [Self; 9] = [
        Self::Output,
        Self::Value,
        Self::Error,
        Self::Message,
        Self::Trap,
        Self::Limit,
        Self::File,
        Self::ErrorOutput,
        Self::Profile,
    ];
}

/// The numbers of a run. What a session used is counted from its load to the end of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum RunNumber {
    /// WebAssembly fuel used; absent if fuel is not metered.
    Fuel = 0,
    /// Starlark ticks used.
    Ticks = 1,
    /// The most bytes of linear memory in use at once.
    MemoryPeak = 2,
    /// The line of the error, from 1, if known.
    Line = 3,
    /// The column of the error in characters, from 1, if known.
    Column = 4,
    /// The exit code, as an `int32_t`, if a WASI guest or the script itself ended the script with one.
    ExitCode = 5,
    /// The cost of an isolated run; absent if it was not isolated.
    Cost = 6,
}

impl RunNumber {
    const ALL: [Self; 7] =
        [Self::Fuel, Self::Ticks, Self::MemoryPeak, Self::Line, Self::Column, Self::ExitCode, Self::Cost];
}

/// Returns how the script ended.
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

/// Returns one of the texts of a run, a `wasmlark_text`, and writes its length in bytes to `length`. Null if
/// it is absent or the call is invalid. The text is valid until the run is freed.
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
            // The handle of the run keeps it alive.
            Ok(found.as_ptr())
        },
        |_| {
            // SAFETY: as above.
            unsafe { tell(length, 0) };
            std::ptr::null()
        },
    )
}

/// Writes one of the numbers of a run, a `wasmlark_number`, to `value`.
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

/// Returns a new value: the result of a run's last statement or of a call, or `None` for the load
/// of a session. 0 if the run failed. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_run_value(run: Handle) -> Handle {
    guard(
        || match &objects::run(run)?.result {
            Ok(value) => value::add(value.clone()),
            Err(_) => Err(Misuse::new(Status::Absent, "this run failed and has no value")),
        },
        |_| 0,
    )
}

/// Returns a new dict: the files that the script wrote, even if it failed then, with their names as keys, sorted, and their content
/// as bytes. For a call of a session, those that it wrote since the call before. Empty unless `wasmlark_sandbox_writable` allows
/// files. 0 if the object is not a run. Free it.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_run_files(run: Handle) -> Handle {
    guard(
        || {
            let run = objects::run(run)?;
            let entry =
                |(name, content): (&String, &Vec<u8>)| (Value::Str(name.clone()), Value::Bytes(content.clone()));
            value::add(Value::Dict(run.files.iter().map(entry).collect()))
        },
        |_| 0,
    )
}

/// Returns `None` if the run has no such text.
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
        Text::ErrorOutput => Some(&run.error_output),
        Text::Profile => run.profile.as_ref().map(|profile| run.folded.get_or_init(|| profile.folded()).as_str()),
    }
}

/// Returns `None` if the run has no such number.
fn number_of(run: &Run, number: RunNumber) -> Option<u64> {
    let error = run.result.as_ref().err();
    match number {
        RunNumber::Fuel => run.stats.fuel,
        RunNumber::Ticks => Some(run.stats.ticks),
        RunNumber::MemoryPeak => Some(run.stats.memory_peak),
        RunNumber::Line => Some(error?.location()?.line as u64),
        RunNumber::Column => Some(error?.location()?.column as u64),
        RunNumber::Cost => run.stats.cost,
        RunNumber::ExitCode => Some(i64::from(error?.exit_code()?).cast_unsigned()),
    }
}

fn absent(what: &str, which: u32) -> Misuse {
    Misuse::new(Status::Absent, format!("this run has no {what} {which}"))
}
