//! Builtins that cost the same on every host.
//!
//! Upstream: starlark calls some builtins before the script runs if all arguments are constants, and keeps the result if
//! it fits the word of small ints. That word is narrower on a 32-bit host, where the call is then made when the script
//! runs, and counts a tick more. Behind a value of this crate they are always called when the script runs.
//!
//! Upstream change: none known.
//!
//! Remove when: small ints have as many bits on every host, or a builtin can be registered without being folded.

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

type MakeTy = Option<fn() -> Ty>;

/// The builtins whose results may be ints of more than 28 bits, with the types that they stand for in annotations.
const UNFOLDED: [(&str, MakeTy); 2] = [("hash", None), ("int", Some(Ty::int))];

/// The owner of the functions.
static STANDARD: Lazy<Globals> = Lazy::new(Globals::standard);

/// Replaces starlark's builtins.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    for (name, function) in STANDARD.iter() {
        if let Some((_, ty)) = UNFOLDED.iter().find(|(unfolded, _)| *unfolded == name) {
            builder.set(name, Unfolded { function, ty: *ty });
        }
    }
}

#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct Unfolded {
    function: FrozenValue,
    ty: MakeTy,
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
        self.ty.map(|ty| ty())
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

impl fmt::Display for Unfolded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.function, f)
    }
}
