//! Builtins that cost the same on every host, in proportion to the length of their arguments.
//!
//! Upstream: starlark calls some builtins before the script runs if all arguments are constants, and keeps the result if
//! it fits the word of small ints. That word is narrower on a 32-bit host, where the call then happens at run time and
//! counts a tick more. Wrapped in a value of this crate, they are always called at run time. Also, a call counts one
//! tick however many elements a builtin processes, and allocates even what the heap has no room for.
//!
//! Upstream change: none known.
//!
//! Remove when: small ints have as many bits on every host, or a builtin can be registered without being folded; long
//! work counts; and a limit on the heap is checked before a value is made.

use std::fmt;

use allocative::Allocative;
use once_cell::sync::Lazy;
use starlark::any::ProvidesStaticType;
use starlark::docs::DocItem;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::typing::Ty;
use starlark::values::typing::TypeCompiled;
use starlark::values::{
    FrozenValue, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};

use super::{long_range, room, ticks};

/// The work of a builtin on its arguments.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Processes the elements of the shortest argument, and makes `bytes` for each. Counts ticks if there are at least
    /// `from` elements.
    Elements { from: u64, bytes: u64 },
    /// Does the same, but makes equal elements only once, so that the bytes are known only for a range.
    Distinct { bytes: u64 },
    /// Processes the bytes of a string.
    Bytes,
    /// Converts digits, in a time that grows with the square of their number.
    Digits,
    /// Makes a text of all arguments together.
    Text,
}

impl Work {
    const READ: Self = Self::Elements { from: 0, bytes: 0 };

    /// Fewer than a thousand elements are covered by the tick of the call.
    const fn make(bytes: u64) -> Self {
        Self::Elements { from: 1000, bytes }
    }
}

/// The builtins that are replaced. The sizes are those of starlark's values, and of the vectors in which it collects them,
/// on a 64-bit host, so that every host refuses the same calls.
const REPLACED: [(&str, Work); 21] = [
    ("all", Work::READ),
    ("any", Work::READ),
    ("enumerate", Work::make(40)),
    ("fail", Work::Text),
    ("filter", Work::make(0)),
    ("hash", Work::Bytes),
    ("int", Work::Digits),
    ("list", Work::make(8)),
    ("map", Work::make(8)),
    ("max", Work::READ),
    ("min", Work::READ),
    ("pprint", Work::Text),
    ("prepr", Work::Text),
    ("print", Work::Text),
    ("pstr", Work::Text),
    ("repr", Work::Text),
    ("reversed", Work::make(16)),
    ("set", Work::Distinct { bytes: 20 }),
    ("sorted", Work::Elements { from: 0, bytes: 24 }),
    ("str", Work::Text),
    ("zip", Work::make(40)),
];

/// The owner of the functions.
static STANDARD: Lazy<Globals> = Lazy::new(|| {
    use LibraryExtension as L;
    Globals::extended_by(&[L::Filter, L::Map, L::Pprint, L::Prepr, L::Print, L::Pstr, L::SetType])
});

/// Replaces starlark's builtins.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    for (name, function) in STANDARD.iter() {
        if let Some((name, work)) = REPLACED.iter().find(|(replaced, _)| *replaced == name) {
            builder.set(name, Replaced { name, function, ty: type_of(function), work: *work });
        }
    }
}

/// Returns the type that a builtin stands for in annotations.
fn type_of(function: FrozenValue) -> Option<Ty> {
    Heap::temp(|heap| TypeCompiled::new(function.to_value(), heap).ok().map(|ty| ty.as_ty().clone()))
}

#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct Replaced {
    name: &'static str,
    function: FrozenValue,
    ty: Option<Ty>,
    work: Work,
}

starlark_simple_value!(Replaced);

impl Replaced {
    /// Counts the work of a call, and checks that there is room for what it makes.
    fn prepare<'v>(&self, args: &Arguments<'v, '_>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<()> {
        let mut args = args.positions(eval.heap())?;
        match self.work {
            Work::Elements { from, bytes } => {
                let shortest = args.filter_map(length).min().unwrap_or_default();
                room::ask(eval, self.name, shortest.saturating_mul(bytes))?;
                if shortest >= from {
                    ticks::spend_elements(eval, shortest)?;
                }
            }
            Work::Distinct { bytes } => {
                let Some(arg) = args.next() else { return Ok(()) };
                let length = length(arg).unwrap_or_default();
                if long_range::length(arg).is_some() {
                    room::ask(eval, self.name, length.saturating_mul(bytes))?;
                }
                if length >= 1000 {
                    ticks::spend_elements(eval, length)?;
                }
            }
            Work::Bytes => {
                let bytes = args.next().and_then(|text| text.unpack_str()).map_or(0, str::len) as u64;
                ticks::spend_elements(eval, bytes / room::BYTES_PER_ELEMENT)?;
            }
            Work::Digits => {
                /// A million digits cost a million ticks.
                const SQUARE_PER_TICK: u64 = 1_000_000;
                let digits = args.next().and_then(|text| text.unpack_str()).map_or(0, str::len) as u64;
                ticks::spend(eval, digits.saturating_mul(digits) / SQUARE_PER_TICK)?;
            }
            Work::Text => {
                for arg in args {
                    room::ask_text(eval, self.name, arg)?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the number of elements of a value that has some and is not a string.
fn length(value: Value<'_>) -> Option<u64> {
    // Asking these would cost an error, or a traversal.
    if value.unpack_i32().is_some() || matches!(value.get_type(), "function" | "native_method" | "string") {
        return None;
    }
    long_range::length(value).or_else(|| u64::try_from(value.length().ok()?).ok())
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Replaced {
    fn invoke(
        &self,
        _this: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        self.prepare(args, eval)?;
        self.function.to_value().invoke(args, eval)
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        self.function.to_value().at(index, heap)
    }

    fn eval_type(&self) -> Option<Ty> {
        self.ty.clone()
    }

    fn typechecker_ty(&self) -> Option<Ty> {
        Some(Ty::of_value(self.function.to_value()))
    }

    fn documentation(&self) -> DocItem {
        self.function.to_value().documentation()
    }

    fn dir_attr(&self) -> Vec<String> {
        self.function.to_value().dir_attr()
    }

    fn has_attr(&self, attribute: &str, heap: Heap<'v>) -> bool {
        self.function.to_value().has_attr(attribute, heap)
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        self.function.to_value().get_attr(attribute, heap).ok().flatten()
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.function, f)
    }
}
