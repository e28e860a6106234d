//! Ranges that do not announce their length while they are iterated, on a 32-bit host.
//!
//! Upstream: `tuple`, and `extend` and `+=` of a list, make room for as many elements as an iterator announces. On a
//! 32-bit host the size of that room wraps at 2³⁰ elements, and they write past it. Only a range announces more elements
//! than fit into memory, so a long one is wrapped in a value that announces none. starlark then makes room as elements
//! come, and panics before the size can wrap.
//!
//! Upstream change: none known.
//!
//! Remove when: starlark computes the sizes of values with checked arithmetic.

use std::fmt;
use std::num::NonZeroI32;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::typing::Ty;
use starlark::values::range::Range;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, UnpackValue, Value, ValueLike, ValueOfUnchecked,
    starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};

/// The length from which a range is wrapped. A list that fits into memory has fewer than 2²⁹ elements, so that it can
/// be extended by a shorter range.
const LONG: i32 = 1 << 28;

/// Replaces starlark's function.
#[starlark_module]
pub(super) fn globals(builder: &mut GlobalsBuilder) {
    /// Returns the ints from `a1`, or from 0 if there is no `a2`, up to but without the last one, in steps of `step`.
    // As in starlark, it is called before the script runs if its arguments are constants, so that it costs the same.
    #[starlark(as_type = LongRange, speculative_exec_safe)]
    fn range<'v>(
        #[starlark(require = pos)] a1: i32,
        #[starlark(require = pos)] a2: Option<i32>,
        #[starlark(require = pos, default = 1)] step: i32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> anyhow::Result<ValueOfUnchecked<'v, Range>> {
        let (start, stop) = a2.map_or((0, a1), |a2| (a1, a2));
        let step =
            NonZeroI32::new(step).ok_or_else(|| anyhow::anyhow!("Third argument of range (step) cannot be zero"))?;
        let range = Range::new(start, stop, step);
        Ok(ValueOfUnchecked::new(match LongRange::new(range, eval.heap()) {
            // starlark keeps the result of such a call only if it is a range of its own, or frozen.
            Some(long) => eval.frozen_heap().alloc(long).to_value(),
            None => eval.heap().alloc(range),
        }))
    }
}

#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct LongRange {
    range: Range,
    start: i64,
    step: i64,
    length: i32,
}

starlark_simple_value!(LongRange);

impl LongRange {
    /// Wraps a range if it is long. One without a valid length announces none.
    fn new(range: Range, heap: Heap<'_>) -> Option<Self> {
        let length = range.length().ok().filter(|length| *length >= LONG)?;
        let element = |index: i32| i64::unpack_value(range.at(heap.alloc(index), heap).ok()?).ok()?;
        let (start, second) = (element(0)?, element(1)?);
        Some(Self { range, start, step: second.checked_sub(start)?, length })
    }
}

#[starlark_value(type = Range::TYPE)]
impl<'v> StarlarkValue<'v> for LongRange {
    fn to_bool(&self) -> bool {
        self.range.to_bool()
    }

    fn length(&self) -> starlark::Result<i32> {
        self.range.length()
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        self.range.at(index, heap)
    }

    fn is_in(&self, element: Value<'v>) -> starlark::Result<bool> {
        self.range.is_in(element)
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        match other.downcast_ref::<Self>() {
            Some(other) => Ok(self.range == other.range),
            None => self.range.equals(other),
        }
    }

    fn slice(
        &self,
        start: Option<Value<'v>>,
        stop: Option<Value<'v>>,
        stride: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let slice = self.range.slice(start, stop, stride, heap)?;
        let long = slice.downcast_ref::<Range>().and_then(|range| Self::new(*range, heap));
        Ok(long.map_or(slice, |long| heap.alloc(long)))
    }

    unsafe fn iterate(&self, this: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(this)
    }

    unsafe fn iter_next(&self, index: usize, heap: Heap<'v>) -> Option<Value<'v>> {
        let index = i32::try_from(index).ok().filter(|index| *index < self.length)?;
        Some(heap.alloc(i64::from(index).checked_mul(self.step)?.checked_add(self.start)?))
    }

    unsafe fn iter_size_hint(&self, _index: usize) -> (usize, Option<usize>) {
        (0, None)
    }

    unsafe fn iter_stop(&self) {}

    /// What `range` means in an annotation: also starlark's type.
    fn get_type_starlark_repr() -> Ty {
        Ty::union2(Range::get_type_starlark_repr(), Ty::starlark_value::<Self>())
    }
}

impl fmt::Display for LongRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.range, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use starlark::environment::{Globals, LibraryExtension, Module};
    use starlark::syntax::{AstModule, Dialect};

    use super::*;

    const SCRIPT: &str = r#"
def first(x: range):
    for n in x:
        if n > 2:
            return n

def use(x):
    return [
        len(x), x[0], x[-1], x[5:], x[::2], x[3:6], x[1 << 27:], 7 in x, -7 in x, "a" in x, bool(x), str(x), repr([x]), type(x),
        isinstance(x, range), isinstance([x], list[range]), isinstance(x, int), isinstance(x, range | None), first(x),
        x == x, x != x, x == range(3), range(3) == x, x[1:] == x[1:], x[:-1] == x, x == [0], dir(x), [n for n, _ in zip(x[:3], x[:3])],
    ]

[
    use(range(1 << 30)), use(range(1 << 28)), use(range((1 << 28) - 1)), use(range(-5, 2147483600, 3)),
    use(range(5, -(1 << 30), -1)), use(range(0, 2147483647)), range(1 << 30) == range(1 << 30),
    range(1 << 30) == range(1 << 29), range(1 << 29) == range(5),
]
"#;

    /// Evaluates a script, and returns the text of its value or error, and the ticks that it cost.
    fn evaluate(globals: &Globals, script: &str) -> (String, u64) {
        Module::with_temp_heap(|module| {
            let ast = AstModule::parse("a.star", script.to_owned(), &Dialect::Extended).unwrap();
            let mut eval = Evaluator::new(&module);
            let text = match eval.eval_module(ast, globals) {
                Ok(value) => value.to_string(),
                Err(error) => error.to_string(),
            };
            (text, eval.get_total_tick_count())
        })
    }

    /// Returns starlark's globals, with `range` of this file or without.
    fn both() -> [Globals; 2] {
        let builder = || GlobalsBuilder::extended_by(&[LibraryExtension::Typing]);
        [builder().with(globals).build(), builder().build()]
    }

    #[test]
    fn a_long_range_is_like_any_other() {
        let [wrapped, starlark] = both();
        let (found, expected) = (evaluate(&wrapped, SCRIPT), evaluate(&starlark, SCRIPT));
        assert!(expected.0.starts_with("[[1073741824, 0, "), "{}", expected.0);
        assert_eq!(found, expected);
        for script in [
            "range(1 << 30)[1 << 30]",
            "hash(range(1 << 30))",
            "{range(1 << 30): 1}",
            "range(1 << 30) + 1",
            "range(1 << 30) < 1",
            "range(1, 2, 0)",
            "range('a')",
            "range(a1 = 1)",
            "range()",
            "range(-5, 2147483647)[1]",
            "isinstance(range(3), range)",
            "[range(1000000000)] * 2",
            "range",
        ] {
            assert_eq!(evaluate(&wrapped, script), evaluate(&starlark, script));
        }
    }

    #[test]
    fn a_long_range_announces_no_length() {
        let [wrapped, _] = both();
        for (length, expected) in [(1 << 28, (0, None)), (i32::MAX, (0, None)), (3, (3, Some(3)))] {
            Module::with_temp_heap(|module| {
                let ast = AstModule::parse("a.star", format!("range({length})[:]"), &Dialect::Extended).unwrap();
                let mut eval = Evaluator::new(&module);
                let range = eval.eval_module(ast, &wrapped).unwrap();
                assert_eq!(range.iterate(module.heap()).unwrap().size_hint(), expected);
            });
        }
        // The longest list that fits into memory, extended by the longest range that announces its length.
        assert!(((1_u64 << 29) + LONG as u64) * 4 < 1 << 32);
    }
}
