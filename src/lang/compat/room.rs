//! The room left on the heap, checked before a builtin makes something large.
//!
//! Upstream: starlark compares its heap with the limit every thousand ticks, and within a tick
//! allocates whatever it is told to. The size of what a builtin is about to make follows from its
//! arguments, so too large a result is refused beforehand.
//!
//! Upstream change: none known.
//!
//! Remove when: starlark's heap has a limit that is checked at each allocation.

use std::collections::HashSet;

use starlark::eval::Evaluator;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::record::Record;
use starlark::values::structs::StructRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, Value, ValueIdentity};

use super::limits::heap_used;
use super::ticks::{self, Extra};
use crate::error::{Error, Limit};

/// Smaller sizes are found soon enough by starlark's own count.
const SMALL: u64 = 64 << 10;

/// The number of elements and bytes of work from which ticks are counted for it.
const MANY: u64 = 1024;
/// A byte of a text is only copied, whereas a method is called on an element.
pub(crate) const BYTES_PER_ELEMENT: u64 = 64;

/// Checks that there is room on the heap for `bytes`, which `what` is about to take.
///
/// # Errors
///
/// If less is left of the limit `heap`.
pub(crate) fn ask(eval: &Evaluator<'_, '_, '_>, what: &str, bytes: u64) -> Result<(), Error> {
    let Some(limit) = limit(eval).filter(|_| bytes >= SMALL) else { return Ok(()) };
    let left = limit.saturating_sub(heap_used(eval.heap(), eval.frozen_heap())) as u64;
    if bytes <= left {
        return Ok(());
    }
    Err(Error::limit(
        Limit::Heap,
        format!("`{what}` needs {bytes} bytes: the sandbox's limit `heap` is {limit} bytes, and {left} are left"),
    ))
}

fn limit(eval: &Evaluator<'_, '_, '_>) -> Option<usize> {
    eval.extra?.downcast_ref::<Extra>().map(|extra| extra.heap)
}

/// A value made of many elements: checks the room for its size, and counts the work.
pub(crate) struct Growth<'a> {
    what: &'a str,
    bytes: u64,
    work: u64,
}

impl<'a> Growth<'a> {
    pub(crate) fn new(what: &'a str) -> Self {
        Self { what, bytes: 0, work: 0 }
    }

    /// Counts this many elements, whose text has `bytes`.
    ///
    /// # Errors
    ///
    /// If the heap has no room for the elements, or a limit of the evaluator is reached.
    pub(crate) fn add(&mut self, eval: &mut Evaluator<'_, '_, '_>, elements: u64, bytes: u64) -> starlark::Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.work = self.work.saturating_add(elements).saturating_add(bytes / BYTES_PER_ELEMENT);
        if self.work >= MANY {
            ask(eval, self.what, self.bytes)?;
            ticks::spend_elements(eval, std::mem::take(&mut self.work))?;
        }
        Ok(())
    }
}

/// Checks the room for the text of `value`, and counts the work of writing it. A value that is in several places is
/// written in each, so a small one may have a text that no memory can hold. The text of a string alone is small compared
/// to what it is made from.
///
/// # Errors
///
/// As [`Growth::add`].
pub(crate) fn ask_text<'v>(eval: &mut Evaluator<'v, '_, '_>, what: &str, value: Value<'v>) -> starlark::Result<()> {
    let heap = eval.heap();
    if !has_parts(value) || is_small(value, heap, &mut MANY.saturating_sub(1)) {
        return Ok(());
    }
    let mut growth = Growth::new(what);
    let (mut steps, mut around) = (vec![Step::Enter(value)], HashSet::new());
    while let Some(step) = steps.pop() {
        let value = match step {
            Step::Enter(value) => value,
            Step::Leave(value) => {
                around.remove(&value);
                continue;
            }
        };
        let (mut elements, mut bytes, mut is_flat) = (0_u64, 0_u64, true);
        for_each_part(value, heap, |part| {
            elements = elements.saturating_add(1);
            // Quotes or brackets, or a digit and a comma.
            bytes = bytes.saturating_add(part.unpack_str().map_or(2, |text| text.len().saturating_add(2) as u64));
            is_flat = is_flat && !has_parts(part);
        });
        growth.add(eval, elements, bytes)?;
        // A value within itself is written as dots.
        if !is_flat && around.insert(value.identity()) {
            steps.push(Step::Leave(value.identity()));
            for_each_part(value, heap, |part| {
                if has_parts(part) {
                    steps.push(Step::Enter(part));
                }
            });
        }
    }
    Ok(())
}

/// Returns whether there are at most `left` elements, and subtracts them from it. Each byte of a text counts as one; a value
/// with parts counts as several, so that the recursion on the native stack is shallow.
fn is_small<'v>(value: Value<'v>, heap: Heap<'v>, left: &mut u64) -> bool {
    let mut is_small = true;
    for_each_part(value, heap, |part| {
        let needed = match part.unpack_str() {
            Some(text) => text.len().saturating_add(1) as u64,
            None if has_parts(part) => 8,
            None => 1,
        };
        match left.checked_sub(needed) {
            Some(rest) if is_small => {
                *left = rest;
                is_small = !has_parts(part) || self::is_small(part, heap, left);
            }
            _ => is_small = false,
        }
    });
    is_small
}

enum Step<'v> {
    Enter(Value<'v>),
    Leave(ValueIdentity<'v>),
}

fn has_parts(value: Value<'_>) -> bool {
    value.unpack_i32().is_none() && matches!(value.get_type(), "list" | "tuple" | "dict" | "set" | "struct" | "record")
}

fn for_each_part<'v>(value: Value<'v>, heap: Heap<'v>, mut part: impl FnMut(Value<'v>)) {
    if let Some(list) = ListRef::from_value(value) {
        list.iter().for_each(part);
    } else if let Some(tuple) = TupleRef::from_value(value) {
        tuple.iter().for_each(part);
    } else if let Some(dict) = DictRef::from_value(value) {
        for (key, value) in dict.iter() {
            part(key);
            part(value);
        }
    } else if let Some(fields) = StructRef::from_value(value) {
        fields.iter().for_each(|(_, value)| part(value));
    } else if let Some(fields) = Record::from_value(value) {
        fields.iter().for_each(|(_, value)| part(value));
    } else if let Ok(elements) = value.iterate(heap) {
        elements.for_each(part); // A set's elements, which are accessible only this way.
    }
}
