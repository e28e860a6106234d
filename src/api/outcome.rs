//! `wasm.Outcome` and `wasm.Trap`: a call that may trap, as a value.

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::coerce::Coerce;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::none::NoneOr;
use starlark::values::structs::AllocStruct;
use starlark::values::{
    Freeze, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Trace, Value, ValueLike, ValueOfUnchecked,
    starlark_value,
};
use starlark::{starlark_complex_value, starlark_module, starlark_simple_value};

use super::evaluation::Evaluation;
use crate::error::{Error, ErrorKind, TrapCode};
use crate::frame::Frame;

#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic, Trace, Freeze, Coerce, Clone)]
#[allocative(skip)]
#[repr(C)]
pub(crate) struct OutcomeGen<V> {
    ok: bool,
    value: V,
    trap: V,
}

starlark_complex_value!(pub(crate) Outcome);

/// Calls `function` and catches only traps: an error of the script or of the sandbox passes through.
pub(crate) fn attempt<'v>(
    function: Value<'v>,
    args: &[Value<'v>],
    named: &[(&str, Value<'v>)],
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Outcome<'v>> {
    match Evaluation::current(eval).as_ref().call(eval, function, args, named) {
        Ok(value) => Ok(Outcome { ok: true, value, trap: Value::new_none() }),
        Err(error) => match Error::find_in(&error) {
            Some(ours) if matches!(ours.kind(), ErrorKind::Trap(_)) => {
                let ErrorKind::Trap(code) = ours.kind() else { return Err(error) };
                let message = ours.message().to_owned();
                let trap = Trap { code, message, exit_code: ours.exit_code(), frames: ours.frames() };
                Ok(Outcome { ok: false, value: Value::new_none(), trap: eval.heap().alloc(trap) })
            }
            _ => Err(error),
        },
    }
}

starlark::methods_static!(OUTCOME = outcome_methods);

/// The result of `wasm.attempt`. It is true if the call returned, so that `if outcome:` works.
#[starlark_module]
fn outcome_methods(builder: &mut MethodsBuilder) {
    /// Whether the call returned.
    #[starlark(attribute)]
    fn ok<'v>(this: &Outcome<'v>) -> starlark::Result<bool> {
        Ok(this.ok)
    }

    /// The result of the call; `None` if it trapped.
    #[starlark(attribute)]
    fn value<'v>(this: &Outcome<'v>) -> starlark::Result<Value<'v>> {
        Ok(this.value)
    }

    /// The trap, or `None`.
    #[starlark(attribute)]
    fn trap<'v>(this: &Outcome<'v>) -> starlark::Result<ValueOfUnchecked<'v, NoneOr<&'v Trap>>> {
        Ok(ValueOfUnchecked::new(this.trap))
    }
}

#[starlark_value(type = "wasm.Outcome")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for OutcomeGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    type Canonical = FrozenOutcome;

    fn to_bool(&self) -> bool {
        self.ok
    }

    fn get_methods() -> Option<&'static Methods> {
        Some(OUTCOME.methods())
    }
}

impl<V: fmt::Display> fmt::Debug for OutcomeGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<V: fmt::Display> fmt::Display for OutcomeGen<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ok {
            true => write!(f, "<wasm.Outcome ok, value = {}>", self.value),
            false => write!(f, "<wasm.Outcome trap = {}>", self.trap),
        }
    }
}

/// Why a call ended before it returned.
#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic, Clone, Debug)]
#[allocative(skip)]
pub(crate) struct Trap {
    code: TrapCode,
    message: String,
    exit_code: Option<i32>,
    frames: Vec<Frame>,
}

starlark_simple_value!(Trap);

fn record<'v>(frame: &Frame, heap: Heap<'v>) -> Value<'v> {
    let (file, line) = frame.line().unzip();
    let text = |text: Option<&str>| text.map_or_else(Value::new_none, |text| heap.alloc(text));
    heap.alloc(AllocStruct([
        ("name", text(frame.name())),
        ("index", heap.alloc(frame.index())),
        ("offset", heap.alloc(frame.offset())),
        ("file", text(file.as_deref())),
        ("line", line.map_or_else(Value::new_none, |line| heap.alloc(line))),
    ]))
}

starlark::methods_static!(TRAP = trap_methods);

/// Why WebAssembly code ended before it returned.
#[starlark_module]
fn trap_methods(builder: &mut MethodsBuilder) {
    /// The kind of trap: `"unreachable"`, `"memory-out-of-bounds"`, `"table-out-of-bounds"`,
    /// `"indirect-call-to-null"`, `"bad-signature"`, `"integer-division-by-zero"`,
    /// `"integer-overflow"`, `"bad-conversion-to-integer"`, `"stack-overflow"`, `"out-of-fuel"`,
    /// `"growth-limited"` or `"exit"`.
    #[starlark(attribute)]
    fn code<'v>(this: &Trap) -> starlark::Result<&'static str> {
        Ok(this.code.as_str())
    }

    /// The message that an uncaught trap would end the script with.
    #[starlark(attribute)]
    fn message<'v>(this: &Trap, heap: Heap<'v>) -> starlark::Result<ValueOfUnchecked<'v, String>> {
        Ok(ValueOfUnchecked::new(heap.alloc(this.message.as_str())))
    }

    /// The guests' functions that had not returned, innermost first: a list of structs with `name` (`None` for a function
    /// without one), `index` (in its module), `offset` (of the instruction, in bytes from the beginning of the module), and
    /// `file` and `line` (`None` where the module has no DWARF that tells them). Empty unless the host keeps frames:
    /// `wasmlark run --backtrace`.
    #[starlark(attribute)]
    fn frames<'v>(this: &Trap, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(this.frames.iter().map(|frame| record(frame, heap)).collect())
    }

    /// The exit code if `code` is `"exit"`, otherwise `None`.
    #[starlark(attribute)]
    fn exit_code<'v>(this: &Trap) -> starlark::Result<NoneOr<i32>> {
        Ok(NoneOr::from_option(this.exit_code))
    }
}

#[starlark_value(type = "wasm.Trap")]
impl<'v> StarlarkValue<'v> for Trap {
    fn get_methods() -> Option<&'static Methods> {
        Some(TRAP.methods())
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<wasm.Trap {}>", self.code)
    }
}
