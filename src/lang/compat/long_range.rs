//! Long ranges, and those whose bounds are far apart.
//!
//! Upstream: a range computes in 32 bits, so that one whose bounds are more than 2³¹ − 1 apart has a wrong length, and the
//! product of an index and the step can overflow. A range of more than 2³¹ − 1 elements has no length at all, so that
//! nothing can ask for the room that a builtin needs for it. On a 32-bit host, `tuple`, and `extend` and `+=` of a list, make room
//! for as many elements as a range announces; the size of that room wraps at 2³⁰ elements, and they write past it. So
//! such a range is wrapped in a value that computes in 64 bits, and announces no length there. starlark then makes room as
//! elements come, and panics before the size can wrap.
//!
//! Upstream change: none known.
//!
//! Remove when: starlark's ranges compute in 64 bits, and the sizes of values are computed with checked arithmetic.

use std::fmt;
use std::num::NonZeroI32;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::typing::Ty;
use starlark::values::float::UnpackFloat;
use starlark::values::range::Range;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, UnpackValue, Value, ValueError, ValueLike,
    ValueOfUnchecked, starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};

/// The length from which a range is wrapped. On a 32-bit host, a list that fits into memory has fewer than 2²⁹ elements, so
/// that it can be extended by a shorter range.
const LONG: i64 = 1 << 28;

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
        Ok(ValueOfUnchecked::new(match LongRange::new(start, stop, step) {
            // starlark keeps the result of such a call only if it is a range of its own, or frozen.
            Some(long) => eval.frozen_heap().alloc(long).to_value(),
            None => eval.heap().alloc(Range::new(start, stop, step)),
        }))
    }
}

/// Returns the number of elements of a range, however many it has, or `None` for another value.
pub(super) fn length(value: Value<'_>) -> Option<u64> {
    match value.downcast_ref::<LongRange>() {
        Some(long) => long.length.try_into().ok(),
        None => value.downcast_ref::<Range>()?.length().ok()?.try_into().ok(),
    }
}

#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
#[allocative(skip)]
struct LongRange {
    /// What it prints.
    range: Range,
    start: i64,
    step: i64,
    length: i64,
}

starlark_simple_value!(LongRange);

impl LongRange {
    /// Wraps a range if it is long, or if the element after its last one is far from its first one, whatever its
    /// bound: equal ranges are then both wrapped, or neither is.
    fn new(start: i32, stop: i32, step: NonZeroI32) -> Option<Self> {
        let length = elements(start.into(), stop.into(), step);
        let is_far = length > 1 && length.checked_mul(step.get().into())?.unsigned_abs() > i32::MAX as u64;
        (length >= LONG || is_far).then(|| Self {
            range: Range::new(start, stop, step),
            start: start.into(),
            step: step.get().into(),
            length,
        })
    }

    fn element(&self, index: i64) -> Option<i64> {
        index.checked_mul(self.step)?.checked_add(self.start)
    }

    /// Returns the position of an int, or of a float that is one, if it is an element.
    fn position(&self, value: Value<'_>) -> Option<i64> {
        let number = UnpackFloat::unpack_value(value).ok()??.0;
        // Elements have 32 bits, so that floats tell them apart.
        let element = (number.fract() == 0.0).then_some(number as i64)?;
        let distance = element.checked_sub(self.start)?;
        let position = distance.checked_div(self.step)?;
        (distance.checked_rem(self.step)? == 0 && (0..self.length).contains(&position)).then_some(position)
    }

    /// Returns the positions at which a slice begins and ends.
    fn bounds(
        &self,
        start: Option<Value<'_>>,
        stop: Option<Value<'_>>,
        is_forward: bool,
    ) -> starlark::Result<(i64, i64)> {
        let (least, most) = if is_forward { (0, self.length) } else { (-1, self.length.saturating_sub(1)) };
        let bound = |value: Option<Value<'_>>, default: i64| -> starlark::Result<i64> {
            let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(default) };
            let position = i64::from(i32::unpack_value_err(value)?);
            let position = if position < 0 { position.saturating_add(self.length) } else { position };
            Ok(position.clamp(least, most))
        };
        let (first, last) = if is_forward { (least, most) } else { (most, least) };
        Ok((bound(start, first)?, bound(stop, last)?))
    }
}

/// Returns how many steps lead from `start` to just before `stop`.
fn elements(start: i64, stop: i64, step: NonZeroI32) -> i64 {
    let step = i64::from(step.get());
    let distance = if step > 0 { stop.saturating_sub(start) } else { start.saturating_sub(stop) };
    distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs()).try_into().unwrap_or(i64::MAX)
}

#[starlark_value(type = Range::TYPE)]
impl<'v> StarlarkValue<'v> for LongRange {
    fn to_bool(&self) -> bool {
        self.length > 0
    }

    fn length(&self) -> starlark::Result<i32> {
        i32::try_from(self.length).map_err(|_| ValueError::IntegerOverflow.into())
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let index = i32::unpack_value_err(index)?;
        let position = if index < 0 { i64::from(index).saturating_add(self.length) } else { index.into() };
        match self.element(position).filter(|_| (0..self.length).contains(&position)) {
            Some(element) => Ok(heap.alloc(element)),
            None => Err(ValueError::IndexOutOfBound(i32::try_from(position).unwrap_or(index)).into()),
        }
    }

    fn is_in(&self, element: Value<'v>) -> starlark::Result<bool> {
        Ok(self.position(element).is_some())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        let same = |other: &Self| (self.start, self.step, self.length) == (other.start, other.step, other.length);
        Ok(other.downcast_ref::<Self>().is_some_and(same))
    }

    fn slice(
        &self,
        start: Option<Value<'v>>,
        stop: Option<Value<'v>>,
        stride: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let stride = stride.filter(|stride| !stride.is_none()).map_or(Ok(1), i32::unpack_value_err)?;
        let stride = NonZeroI32::new(stride).ok_or(ValueError::IndexOutOfBound(0))?;
        let (first, last) = self.bounds(start, stop, stride.get() > 0)?;
        let of_range = || {
            let step = NonZeroI32::new(self.step.checked_mul(stride.get().into())?.try_into().ok()?)?;
            let start = i32::try_from(self.element(first)?).ok()?;
            let end = self.element(last)?;
            let stop = i32::try_from(end).unwrap_or(if end > 0 { i32::MAX } else { i32::MIN });
            let is_whole = elements(start.into(), stop.into(), step) == elements(first, last, stride);
            is_whole.then_some((start, stop, step))
        };
        let (start, stop, step) = of_range().ok_or(ValueError::IntegerOverflow)?;
        Ok(match Self::new(start, stop, step) {
            Some(long) => heap.alloc(long),
            None => heap.alloc(Range::new(start, stop, step)),
        })
    }

    unsafe fn iterate(&self, this: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(this)
    }

    unsafe fn iter_next(&self, index: usize, heap: Heap<'v>) -> Option<Value<'v>> {
        let index = i64::try_from(index).ok().filter(|index| *index < self.length)?;
        Some(heap.alloc(self.element(index)?))
    }

    unsafe fn iter_size_hint(&self, index: usize) -> (usize, Option<usize>) {
        announced(self.length, index)
    }

    unsafe fn iter_stop(&self) {}

    /// What `range` means in an annotation: also starlark's type.
    fn get_type_starlark_repr() -> Ty {
        Ty::union2(Range::get_type_starlark_repr(), Ty::starlark_value::<Self>())
    }
}

/// Returns what is announced of the elements that are left. Where sizes have 64 bits, an announced length is refused
/// before anything is allocated for it.
fn announced(length: i64, index: usize) -> (usize, Option<usize>) {
    match usize::try_from(length) {
        Ok(length) if size_of::<usize>() > 4 => (length.saturating_sub(index), Some(length.saturating_sub(index))),
        _ => (0, None),
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
            "isinstance(range(3), range)",
            "[range(1000000000)] * 2",
            "range",
        ] {
            assert_eq!(evaluate(&wrapped, script), evaluate(&starlark, script));
        }
    }

    #[test]
    fn a_wrapped_range_computes_as_starlark_does() {
        let bounds = -4..5;
        for (start, stop, step) in bounds.clone().flat_map(|start| {
            bounds.clone().flat_map(move |stop| [-3, -2, -1, 1, 2, 3].map(|step| (start, stop, step)))
        }) {
            let step = NonZeroI32::new(step).unwrap();
            Module::with_temp_heap(|module| {
                let length = elements(start.into(), stop.into(), step);
                let range = Range::new(start, stop, step);
                let wrapped = LongRange { range, start: start.into(), step: step.get().into(), length };
                module.set("x", module.heap().alloc(wrapped));
                module.set("y", module.heap().alloc(range));
                // `==` of both kinds is false, so that their texts are compared.
                let script = r#"
numbers = range(-6, 7)
bounds = [None] + list(numbers)
def use(x):
    return [
        len(x), bool(x), list(x), [n in x for n in numbers], [float(n) in x for n in numbers], 0.5 in x, "" in x,
        [x[n] for n in range(-len(x), len(x))], [list(x[a:b:c]) for a in bounds for b in bounds for c in (None, -2, -1, 1, 2)],
        [str(x[a:b:c]) for a in bounds for b in bounds for c in (-2, -1, 1, 2)], str(x),
    ]
use(x) == use(y)
"#;
                let ast = AstModule::parse("a.star", script.to_owned(), &Dialect::Extended).unwrap();
                let result = Evaluator::new(&module).eval_module(ast, &Globals::standard()).unwrap();
                assert_eq!(result.unpack_bool(), Some(true), "{range}");
            });
        }
    }

    #[test]
    fn a_range_whose_bounds_are_far_apart_is_exact() {
        let [wrapped, _] = both();
        for (script, expected) in [
            ("len(range(-1, 2147483647, 1000000000))", "3"),
            ("len(range(-1, 2147483647, 2))", "1073741824"),
            (
                "list(range(-2147483648, 2147483647, 1000000000))",
                "[-2147483648, -1147483648, -147483648, 852516352, 1852516352]",
            ),
            ("list(range(2147483647, -2147483648, -2000000000))", "[2147483647, 147483647, -1852516353]"),
            ("list(range(2147483647, -2147483648, -2147483648))", "[2147483647, -1]"),
            ("list(range(0, -2147483648, -2147483648))", "[0]"),
            ("852516352 in range(-2147483648, 2147483647, 1000000000)", "True"),
            ("852516353 in range(-2147483648, 2147483647, 1000000000)", "False"),
            ("-1e30 in range(-2147483648, 2147483647, 1000000000)", "False"),
            ("(1 << 80) in range(-2147483648, 2147483647, 1000000000)", "False"),
            ("range(-5, 2147483647, 3)[-1]", "2147483644"),
            ("len(range(-5, 2147483647, 3)[1::2])", "357913942"),
            ("list(range(-2147483648, 2147483647, 1000000000)[:0:-2])", "[1852516352, -147483648]"),
            ("list(range(-2147483648, 2147483647, 1000000000)[3:])", "[852516352, 1852516352]"),
            ("bool(range(-1, 2147483647))", "True"),
            ("range(-1, 2147483647) == range(-1, 2147483647)", "True"),
            ("range(-1, 2147483647) == range(0, 2147483647)", "False"),
            // The same two elements, with a bound that is far and with one that is not.
            ("range(-2147483648, 1852516352, 2000000000) == range(-2147483648, -147483647, 2000000000)", "True"),
            ("range(-2147483648, -147483647, 2000000000) == range(-2147483648, 1852516352, 2000000000)", "True"),
            ("range(0, -2147483648, -2147483648) == range(0, 1)", "True"),
        ] {
            assert_eq!(evaluate(&wrapped, script).0, expected, "{script}");
        }
        for script in ["len(range(-1, 2147483647))", "range(-2147483648, 2147483647, 1000000000)[::-1]"] {
            assert!(evaluate(&wrapped, script).0.starts_with("error: Integer overflow"), "{script}");
        }
    }

    #[test]
    fn a_long_range_announces_no_length_on_a_32_bit_host() {
        let [wrapped, _] = both();
        let announced = |length: usize| if size_of::<usize>() > 4 { (length, Some(length)) } else { (0, None) };
        for (length, expected) in
            [(1 << 28, announced(1 << 28)), (i32::MAX, announced(i32::MAX as usize)), (3, (3, Some(3)))]
        {
            Module::with_temp_heap(|module| {
                let ast = AstModule::parse("a.star", format!("range({length})[:]"), &Dialect::Extended).unwrap();
                let mut eval = Evaluator::new(&module);
                let range = eval.eval_module(ast, &wrapped).unwrap();
                assert_eq!(range.iterate(module.heap()).unwrap().size_hint(), expected);
            });
        }
        // The longest list that fits into memory, extended by the longest range that announces its length.
        assert!(((1_u64 << 29) + LONG.unsigned_abs()) * 4 < 1 << 32);
    }
}
