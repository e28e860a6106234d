//! `<<` with a result of any size.
//!
//! Upstream: starlark's operator shifts within the word of small ints, which has 32 bits on a 64-bit host and 29 on a
//! 32-bit one: `1 << 31` is negative on the one but not on the other. The parser replaces the operator with a call of the
//! function below, which is exact.
//!
//! Upstream change: facebook/starlark-rust pull request 204, merged on 2026-07-03.
//!
//! Remove when: a release later than 0.14.3 has it, and `tests/script` passes without this file.

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::values::{
    AllocValue, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Trace, Value, ValueLike, starlark_value,
};

/// The function's name, which is the operator that the parser replaces with a call. No script can write it.
pub(crate) const OPERATOR: &str = "<<";

/// The name of a right operand that marks the left one as the right side of a `<<=`: see
/// [`shift_assign`](super::shift_assign). A script that contains it is refused.
pub(crate) const MARKER: &str = "__shift_assign__";

/// Adds the function to the globals.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    builder.set(OPERATOR, LeftShift);
    builder.set(MARKER, Marker);
}

/// Computes `a << b`.
fn left_shift<'v>(a: Value<'v>, b: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    match (a.unpack_i32(), b.unpack_i32()) {
        (Some(a), Some(b @ 0..32)) => Ok(heap.alloc(i64::from(a) << b)),
        // starlark's operator is exact for operands that are not small ints, and makes the errors.
        _ => a.left_shift(b, heap),
    }
}

#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct LeftShift;

starlark_simple_value!(LeftShift);

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for LeftShift {
    fn invoke(
        &self,
        _this: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let [a, b] = args.positional(heap)?;
        match b.downcast_ref::<Marker>() {
            Some(_) => Ok(heap.alloc(ShiftAssignOperand(a))),
            None => left_shift(a, b, heap),
        }
    }
}

/// The value of [`MARKER`].
#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct Marker;

starlark_simple_value!(Marker);

#[starlark_value(type = "marker")]
impl<'v> StarlarkValue<'v> for Marker {}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARKER)
    }
}

/// The value that is added to `x` to evaluate `x <<= n`.
#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, Trace)]
#[allocative(skip)]
struct ShiftAssignOperand<'v>(Value<'v>);

#[starlark_value(type = "int")]
impl<'v> StarlarkValue<'v> for ShiftAssignOperand<'v> {
    fn radd(&self, left: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        Some(left_shift(left, self.0, heap))
    }
}

impl<'v> AllocValue<'v> for ShiftAssignOperand<'v> {
    fn alloc_value(self, heap: Heap<'v>) -> Value<'v> {
        heap.alloc_complex_no_freeze(self)
    }
}

impl fmt::Display for ShiftAssignOperand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<<=")
    }
}

impl fmt::Display for LeftShift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPERATOR)
    }
}
