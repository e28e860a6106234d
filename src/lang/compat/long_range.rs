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

    /// On a 64-bit host, starlark refuses room for 2²⁹ elements and more before it allocates any, so that announcing a
    /// length saves what growing to it would take.
    unsafe fn iter_size_hint(&self, index: usize) -> (usize, Option<usize>) {
        match usize::try_from(self.length) {
            Ok(length) if size_of::<usize>() > 4 => {
                let left = length.saturating_sub(index);
                (left, Some(left))
            }
            _ => (0, None),
        }
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
mod tests;
