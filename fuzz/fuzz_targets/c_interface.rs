//! Calls of the C interface with objects that are valid, were freed, or never existed.

#![no_main]
#![allow(dead_code, unused_imports)]

// The package of the C interface is a library only for C, so its files are compiled here.
#[path = "../../capi/src/callback.rs"]
mod callback;
#[path = "../../capi/src/caller.rs"]
mod caller;
#[path = "../../capi/src/function.rs"]
mod function;
#[path = "../../capi/src/import.rs"]
mod import;
#[path = "../../capi/src/interrupt.rs"]
mod interrupt;
#[path = "../../capi/src/json.rs"]
mod json;
#[path = "../../capi/src/loader.rs"]
mod loader;
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
use caller::*;
use function::*;
use import::*;
use interrupt::*;
use json::*;
use libfuzzer_sys::fuzz_target;
use loader::*;
use misuse::*;
use objects::*;
use run::*;
use sandbox::*;
use session::*;
use value::*;

const SCRIPTS: &[&str] = &["1 + 1", "f(1, 'a')", "print(x)", "fail('a')", "[x, f(x)]", "load('a.star', 'b')", "{'a': [1, (2,)]}", SESSION, GUEST];

/// Defines what the calls of a session ask for.
const SESSION: &str = "x = [1]\ndef f(*args):\n    x.append(args)\n    return args\ndef spin():\n    for i in range(1 << 30): pass";

/// Calls an import that uses the guest's memory.
const GUEST: &str = r#"wasm.instantiate(wasm.wat("""(module
    (import "m" "import" (func $f (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "call") (param i32 i32) (result i32) (call $f (local.get 0) (local.get 1))))""")).exports.call(65530, 4)"#;

/// Uses the memory around the place that a guest passes, with callers that exist and others.
unsafe extern "C" fn import(_: *mut c_void, caller: CallerNumber, arguments: *const Wasm, results: *mut Wasm) -> Handle {
    let mut buffer = [0u8; 16];
    let mut size = 0;
    // SAFETY: all pointers are to values of this function, with their lengths, or as the interface passes them.
    unsafe {
        let (at, length) = ((*arguments).i32, (*arguments.add(1)).i32 as usize % 16);
        for caller in [caller, caller.wrapping_add(1)] {
            wasmlark_caller_memory_size(caller, &raw mut size);
            wasmlark_caller_read(caller, at as u64, buffer.as_mut_ptr(), length);
            wasmlark_caller_write(caller, u64::from(at as u32), buffer.as_ptr(), length + 3);
        }
        (*results).i32 = size as i32;
    }
    0
}

unsafe extern "C" fn loader(_: *mut c_void, name: *const u8, length: usize) -> Handle {
    // SAFETY: the interface passes a name that has this length.
    unsafe {
        match length % 4 {
            0 => 0,
            1 => wasmlark_error(name, length),
            2 => wasmlark_value_none(),
            _ => wasmlark_value_string(name, length),
        }
    }
}

unsafe extern "C" fn print(_: *mut c_void, text: *const u8, length: usize) {
    // SAFETY: the interface passes a text that has this length.
    assert!(std::str::from_utf8(unsafe { std::slice::from_raw_parts(text, length) }).is_ok());
}

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
        match number % 45 {
            0 => wasmlark_sandbox_new(),
            1 => {
                wasmlark_sandbox_limit(object, u32::from(number) / 45, unstructured.int_in_range(0..=100_000)?);
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
                let found = wasmlark_run_text(object, u32::from(number) / 45, &raw mut size);
                if !found.is_null() {
                    assert!(std::slice::from_raw_parts(found, size).len() == size);
                }
                0
            }
            9 => {
                wasmlark_run_number(object, u32::from(number) / 45, &raw mut wide);
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
            22 => wasmlark_value_item(object, wasmlark_value_count(object).wrapping_sub(usize::from(number / 45))),
            23 => wasmlark_value_key(object, usize::from(number / 45)),
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
            29 => {
                let mut session = 0;
                let loaded = wasmlark_session_load(object, c"m".as_ptr().cast(), 1, script.as_ptr(), script.len(), &raw mut session);
                if session != 0 {
                    known.push(session);
                }
                loaded
            }
            30 | 31 => wasmlark_session_call(object, c"f".as_ptr().cast(), 1, objects.as_ptr(), usize::from(number % 5)),
            32 => wasmlark_session_call_with(object, c"spin".as_ptr().cast(), 4, objects.as_ptr(), 0, other, 1000, 1000, 3),
            33 => wasmlark_session_get(object, c"x".as_ptr().cast(), 1),
            34 => {
                wasmlark_session_refill(object);
                wasmlark_session_interrupt(object)
            }
            35 => wasmlark_sandbox_interrupt(object),
            36 => {
                wasmlark_interrupt_now(object);
                wasmlark_interrupt_after(other, u64::from(number / 45));
                0
            }
            37 => {
                wasmlark_interrupt_reset(object);
                0
            }
            38 => wasmlark_value_from_json(start, length),
            39 => wasmlark_value_to_json(object),
            40 => {
                let (two, one) = ([0u8, 0], [number / 45]);
                let (module, name) = (c"m".as_ptr().cast(), c"import".as_ptr().cast());
                wasmlark_sandbox_import(
                    object, module, 1, name, 6, two.as_ptr(), 2, one.as_ptr(), 1, Some(import), std::ptr::null_mut(), None,
                );
                0
            }
            41 => {
                wasmlark_sandbox_loader(object, Some(loader), std::ptr::null_mut(), None);
                0
            }
            42 => {
                wasmlark_sandbox_on_print(object, Some(print), std::ptr::null_mut());
                0
            }
            43 => {
                wasmlark_sandbox_interruptible(object, u32::from(number / 45));
                wasmlark_sandbox_backtrace(object, u32::from(number / 90));
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
