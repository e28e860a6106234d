//! Builtins of starlark's that it calls before a script runs, where all arguments are constants, to keep the result. It
//! can only keep what fits the word of small ints, which is narrower on a 32-bit host; there the call would be made when
//! the script runs, and count a tick more. Behind a value of this crate they are called when the script runs, always.

use std::fmt;

use allocative::Allocative;
use once_cell::sync::Lazy;
use starlark::any::ProvidesStaticType;
use starlark::environment::{Globals, GlobalsBuilder};
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::typing::Ty;
use starlark::values::{
    FrozenValue, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};

/// Those whose results may be ints of more than 28 bits.
const NAMES: [&str; 2] = ["hash", "int"];

/// Keeps them alive.
static STANDARD: Lazy<Globals> = Lazy::new(Globals::standard);

/// Puts them in place of starlark's.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    for (name, function) in STANDARD.iter().filter(|(name, _)| NAMES.contains(name)) {
        builder.set(name, Unfolded { function });
    }
}

#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct Unfolded {
    function: FrozenValue,
}

starlark_simple_value!(Unfolded);

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Unfolded {
    fn invoke(
        &self,
        _this: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        self.function.to_value().invoke(args, eval)
    }

    fn eval_type(&self) -> Option<Ty> {
        (self.function.to_string() == "int").then(Ty::int)
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        self.function.to_value().get_attr(attribute, heap).ok().flatten()
    }
}

impl fmt::Display for Unfolded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.function, f)
    }
}
