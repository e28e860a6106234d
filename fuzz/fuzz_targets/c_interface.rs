//! Calls of the C interface with objects that are valid, were freed, or never existed.

#![no_main]
#![allow(dead_code, unused_imports)]

// The package of the C interface is a library only for C, so its files are compiled here.
#[path = "../../capi/src/callback.rs"]
mod callback;
#[path = "../../capi/src/function.rs"]
mod function;
#[path = "../../capi/src/misuse.rs"]
mod misuse;
#[path = "../../capi/src/objects.rs"]
mod objects;
#[path = "../../capi/src/run.rs"]
mod run;
#[path = "../../capi/src/sandbox.rs"]
mod sandbox;
#[path = "../../capi/src/session.rs"]
mod session;
#[path = "../../capi/src/stack.rs"]
mod stack;
#[path = "../../capi/src/value.rs"]
mod value;

use std::ffi::c_void;

use arbitrary::{Result, Unstructured};
use function::*;
use libfuzzer_sys::fuzz_target;
use misuse::*;
use objects::*;
use run::*;
use sandbox::*;
use value::*;

const SCRIPTS: &[&str] = &["1 + 1", "f(1, 'a')", "print(x)", "fail('a')", "[x, f(x)]", "load('a.star', 'b')", "{'a': [1, (2,)]}"];

unsafe extern "C" fn callback(_: *mut c_void, arguments: *const Handle, count: usize) -> Handle {
    if count == 0 { 0 } else { unsafe { *arguments } }
}

fn step(unstructured: &mut Unstructured<'_>, known: &mut Vec<Handle>) -> Result<()> {
    let number = unstructured.arbitrary::<u8>()?;
    let object = match unstructured.int_in_range(0..=7)? {
        0 => unstructured.arbitrary()?,
        index => known.iter().rev().nth(index).copied().unwrap_or(0),
    };
    let other = known.iter().rev().nth(usize::from(number & 7)).copied().unwrap_or(0);
    let text: &[u8] = unstructured.arbitrary()?;
    let (start, length) = (text.as_ptr(), text.len());
    let script = unstructured.choose(SCRIPTS)?;
    let objects = [object, other, object, other];
    let mut size = 0usize;
    let mut wide = 0u64;
    let mut whole = 0i64;
    let mut float = 0f64;
    // SAFETY: all pointers are to values of this function, with their lengths.
    let made = unsafe {
        match number % 30 {
            0 => wasmlark_sandbox_new(),
            1 => {
                wasmlark_sandbox_limit(object, u32::from(number) / 30, unstructured.int_in_range(0..=100_000)?);
                0
            }
            2 => {
                wasmlark_sandbox_file(object, c"a.star".as_ptr().cast(), 6, start, length);
                0
            }
            3 => {
                wasmlark_sandbox_argument(object, start, length);
                0
            }
            4 | 5 => wasmlark_sandbox_run(object, c"m".as_ptr().cast(), 1, script.as_ptr(), script.len()),
            6 => wasmlark_sandbox_run(object, c"m".as_ptr().cast(), 1, start, length),
            7 => {
                wasmlark_run_kind(object);
                0
            }
            8 => {
                let found = wasmlark_run_text(object, u32::from(number) / 30, &raw mut size);
                if !found.is_null() {
                    assert!(std::slice::from_raw_parts(found, size).len() == size);
                }
                0
            }
            9 => {
                wasmlark_run_number(object, u32::from(number) / 30, &raw mut wide);
                0
            }
            10 => wasmlark_run_value(object),
            11 => wasmlark_value_none(),
            12 => wasmlark_value_bool(number.into()),
            13 => wasmlark_value_int(unstructured.arbitrary()?),
            14 => wasmlark_value_float(unstructured.arbitrary()?),
            15 => wasmlark_value_string(start, length),
            16 => wasmlark_value_bytes(start, length),
            17 => wasmlark_value_list(objects.as_ptr(), usize::from(number % 5)),
            18 => wasmlark_value_dict(objects.as_ptr(), usize::from(number % 3)),
            19 => {
                wasmlark_value_type(object);
                0
            }
            20 => {
                wasmlark_value_get_int(object, &raw mut whole);
                wasmlark_value_get_float(object, &raw mut float);
                0
            }
            21 => {
                wasmlark_value_text(object, &raw mut size);
                0
            }
            22 => wasmlark_value_item(object, wasmlark_value_count(object).wrapping_sub(usize::from(number / 30))),
            23 => wasmlark_value_key(object, usize::from(number / 30)),
            24 => wasmlark_value_get(object, start, length),
            25 => wasmlark_error(start, length),
            26 => {
                wasmlark_sandbox_function(object, c"f".as_ptr().cast(), 1, Some(callback), std::ptr::null_mut(), None);
                0
            }
            27 => {
                wasmlark_sandbox_value(object, c"x".as_ptr().cast(), 1, other);
                0
            }
            28 => {
                wasmlark_last_error(&raw mut size);
                0
            }
            _ => {
                wasmlark_free(object);
                0
            }
        }
    };
    if made != 0 {
        known.push(made);
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let mut unstructured = Unstructured::new(bytes);
    let mut known = vec![wasmlark_sandbox_new()];
    for limit in [0, 1] {
        wasmlark_sandbox_limit(known[0], limit, 100_000);
    }
    while !unstructured.is_empty() && known.len() < 40 && step(&mut unstructured, &mut known).is_ok() {}
    for object in known {
        wasmlark_free(object);
    }
});
