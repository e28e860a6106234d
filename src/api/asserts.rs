//! The functions with which tests assert.

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{Value, ValueOfUnchecked};

use super::convert;
use super::evaluation::Evaluation;
use crate::diff;
use crate::error::{Error, ErrorKind};
use crate::lang::compat::limits::limit_reached;

/// The length in characters up to which two values are shown on one line.
const SHORT: usize = 60;

/// The number of characters shown of a long text before and after the place where another one differs.
const AROUND: usize = 20;

/// The assertions for tests.
///
/// Scripts have these functions in `wasmlark test`, and in an application's sandbox with `Sandbox::asserts`. They are not
/// members of an `assert`, since Starlark reserves this word.
#[starlark_module]
pub(crate) fn functions(builder: &mut GlobalsBuilder) {
    /// Fails unless `got == want`. The message shows both, or how they differ, after `message`.
    fn assert_eq<'v>(
        #[starlark(require = pos)] got: Value<'v>,
        #[starlark(require = pos)] want: Value<'v>,
        #[starlark(default = NoneOr::None)] message: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        if got.equals(want)? {
            return Ok(NoneType);
        }
        failed("assert_eq", message, &difference(got, want))
    }

    /// Fails if `got == other`.
    fn assert_ne<'v>(
        #[starlark(require = pos)] got: Value<'v>,
        #[starlark(require = pos)] other: Value<'v>,
        #[starlark(default = NoneOr::None)] message: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        if !got.equals(other)? {
            return Ok(NoneType);
        }
        failed("assert_ne", message, &format!("both are {}", short(&got.to_repr())))
    }

    /// Fails unless `value` is true, as `if` sees it.
    fn assert_true<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        #[starlark(default = NoneOr::None)] message: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        if value.to_bool() {
            return Ok(NoneType);
        }
        failed("assert_true", message, &format!("got {}", short(&value.to_repr())))
    }

    /// Fails if `value` is true, as `if` sees it.
    fn assert_false<'v>(
        #[starlark(require = pos)] value: Value<'v>,
        #[starlark(default = NoneOr::None)] message: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        if !value.to_bool() {
            return Ok(NoneType);
        }
        failed("assert_false", message, &format!("got {}", short(&value.to_repr())))
    }

    /// Fails unless `item in container`.
    fn assert_contains<'v>(
        #[starlark(require = pos)] container: Value<'v>,
        #[starlark(require = pos)] item: Value<'v>,
        #[starlark(default = NoneOr::None)] message: NoneOr<&str>,
    ) -> starlark::Result<NoneType> {
        if container.is_in(item)? {
            return Ok(NoneType);
        }
        let (container, item) = (short(&container.to_repr()), short(&item.to_repr()));
        failed("assert_contains", message, &format!("{item} is not in {container}"))
    }

    /// Calls `function()`, which must fail, be it with `fail`, by a wrong argument or by a trap, with a message
    /// that contains `text`. Returns the message.
    ///
    /// The end of the sandbox's own budget and `exit` are not caught.
    fn assert_fails<'v>(
        #[starlark(require = pos)] function: Value<'v>,
        #[starlark(require = pos, default = "")] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<ValueOfUnchecked<'v, String>> {
        let result = Evaluation::current(eval).as_ref().call(eval, function, &[], &[]);
        let error = match result {
            Ok(value) => {
                let value = short(&value.to_repr());
                return Err(failure("assert_fails", &format!("the function did not fail, but returned {value}")));
            }
            Err(error) => error,
        };
        let message = match Error::find_in(&error) {
            Some(ours) if ends_the_run(ours.kind()) => {
                return Err(error);
            }
            Some(ours) => ours.message().to_owned(),
            None if is_end(&error, eval) => return Err(error),
            None => error.without_diagnostic().to_string(),
        };
        if !message.contains(text) {
            let why = format!("the function failed with another message\n- {text}\n+ {message}");
            return Err(failure("assert_fails", &why));
        }
        Ok(ValueOfUnchecked::new(eval.heap().alloc(message)))
    }
}

/// Returns whether an error of this kind is about the run, rather than about what the function did.
fn ends_the_run(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Limit(_) | ErrorKind::Exit | ErrorKind::Interrupted | ErrorKind::Deadline)
}

/// Returns whether starlark ends the evaluation with this error: a limit of its own is reached, or the evaluation is
/// interrupted. If that goes unnoticed, the next check ends it.
fn is_end(error: &starlark::Error, eval: &Evaluator<'_, '_, '_>) -> bool {
    let evaluation = Evaluation::current(eval).as_ref();
    let limits = evaluation.engine.limits();
    // An evaluator may spend less than the limit if files that it loads have spent some of it.
    evaluation.interrupt.stop().is_some()
        || evaluation.budget.ticks.is_passed(eval.get_total_tick_count())
        || limit_reached(error, eval, limits.ticks, limits.heap).is_some()
}

fn failed(function: &str, message: NoneOr<&str>, why: &str) -> starlark::Result<NoneType> {
    let why = match message {
        NoneOr::Other(message) => format!("{message}: {why}"),
        NoneOr::None => why.to_owned(),
    };
    Err(failure(function, &why))
}

fn failure(function: &str, why: &str) -> starlark::Error {
    Error::new(ErrorKind::Script, format!("{function}: {}", why.trim_end())).into()
}

/// Returns the beginning of a long text.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Describes how two values differ.
fn difference(got: Value<'_>, want: Value<'_>) -> String {
    const MARKS: &str = "(- want, + got)";
    let (got_type, want_type) = (got.get_type(), want.get_type());
    if let (Some(got), Some(want)) = (got.unpack_str(), want.unpack_str())
        && (got.contains('\n') || want.contains('\n'))
    {
        let lines = diff::lines(want, got);
        return match lines.lines().any(|line| !line.starts_with(' ')) {
            true => format!("the texts differ {MARKS}\n{lines}"),
            false => format!("the texts differ in how lines end: got {got:?}, want {want:?}"),
        };
    }
    let (got_text, want_text) = (got.to_repr(), want.to_repr());
    if got_text == want_text {
        return format!(
            "both are shown as {}, but a {got_type} is not the {want_type} that is wanted",
            short(&got_text)
        );
    }
    let is_short = |text: &str| text.chars().nth(SHORT).is_none();
    if is_short(&got_text) && is_short(&want_text) {
        return format!("got {got_text}, want {want_text}");
    }
    let is_text = |value: Value<'_>| value.unpack_str().is_some() || convert::bytes(value).is_some();
    if is_text(got) || is_text(want) {
        let same = got_text.chars().zip(want_text.chars()).take_while(|(a, b)| a == b).count();
        let part = |text: &str| around(text, same);
        return format!("the values differ\n- {}\n+ {}", part(&want_text), part(&got_text));
    }
    format!("the values differ {MARKS}\n{}", diff::lines(&format!("{want:#}"), &format!("{got:#}")))
}

/// Returns the part of a text around a place.
fn around(text: &str, place: usize) -> String {
    let start = place.saturating_sub(AROUND);
    let lead = if start > 0 { "…" } else { "" };
    let mut rest = text.chars().skip(start);
    let shown: String = rest.by_ref().take(SHORT).collect();
    let trail = if rest.next().is_some() { "…" } else { "" };
    format!("{lead}{shown}{trail}")
}
