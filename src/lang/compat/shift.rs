//! `<<` of the sandbox. starlark's own shifts within the word that it keeps small ints in: 32 bits on a 64-bit
//! host, 29 on a 32-bit one, so `1 << 31` is negative on the one and not on the other. This one is exact.

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::values::{
    AllocValue, Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Trace, Value, starlark_value,
};

/// The function's name, and the operator that the parser replaces with a call of it. No script can write it.
pub(crate) const OPERATOR: &str = "<<";

/// Stands on the right of the operator where that is the right side of an assignment, which the left is not known of.
pub(crate) const ASSIGNMENT: &str = "<<=";

/// Adds the function to the globals.
pub(crate) fn globals(builder: &mut GlobalsBuilder) {
    builder.set(OPERATOR, LeftShift);
}

/// `a << b`.
fn left_shift<'v>(a: Value<'v>, b: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    match (a.unpack_i32(), b.unpack_i32()) {
        (Some(a), Some(b @ 0..32)) => Ok(heap.alloc(i64::from(a) << b)),
        // Exact where a word is not enough from the start; and all errors.
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
        match b.unpack_str() {
            Some(ASSIGNMENT) => Ok(heap.alloc(ShiftAssignOperand(a))),
            _ => left_shift(a, b, heap),
        }
    }
}

/// What is added to `x` in place of `x <<= n`.
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
        f.write_str(ASSIGNMENT)
    }
}

impl fmt::Display for LeftShift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPERATOR)
    }
}
