//! Tests that a C program cannot run safely.

#![allow(clippy::unwrap_used)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmlark::Limit;

use crate::*;

/// A print function cannot change the sandbox that calls it, but may run a script in it.
#[test]
#[allow(unsafe_code)]
fn a_sandbox_in_use() {
    static CHANGED: AtomicU32 = AtomicU32::new(u32::MAX);
    static RAN: AtomicU32 = AtomicU32::new(u32::MAX);
    unsafe extern "C" fn print(context: *mut c_void, text: *const u8, length: usize) {
        let sandbox = context.addr() as Handle;
        CHANGED.store(wasmlark_sandbox_limit(sandbox, Limit::Fuel as u32, 1) as u32, Ordering::SeqCst);
        // SAFETY: pointer and length are those of `text`.
        let inner = unsafe { wasmlark_sandbox_run(sandbox, text, length, b"1".as_ptr(), 1) };
        RAN.store(wasmlark_run_kind(inner) as u32, Ordering::SeqCst);
        wasmlark_free(inner);
    }
    let sandbox = wasmlark_sandbox_new();
    let context = std::ptr::without_provenance_mut(sandbox as usize);
    let script = b"print('a')";
    // SAFETY: `context` is not an address, and `print` does not use it as one.
    let run = unsafe {
        assert_eq!(wasmlark_sandbox_on_print(sandbox, Some(print), context), Status::Ok);
        wasmlark_sandbox_run(sandbox, b"f".as_ptr(), 1, script.as_ptr(), script.len())
    };
    assert_eq!(wasmlark_run_kind(run), Kind::Done);
    assert_eq!(CHANGED.load(Ordering::SeqCst), Status::Busy as u32);
    assert_eq!(RAN.load(Ordering::SeqCst), Kind::Done as u32);
    assert_eq!(wasmlark_sandbox_limit(sandbox, Limit::Fuel as u32, 1), Status::Ok);
    assert_eq!(wasmlark_free(run), Status::Ok);
    assert_eq!(wasmlark_free(sandbox), Status::Ok);
}

/// Every function returns a status for any handle, and does nothing else.
#[test]
#[allow(unsafe_code)]
fn any_number_for_an_object() {
    for object in [0, u32::MAX, u32::MAX / 2, 1 << 20] {
        let mut length = 1;
        let mut value = 5;
        // SAFETY: the places are valid, and each null has length 0.
        unsafe {
            assert_eq!(wasmlark_sandbox_limit(object, 0, 1), Status::Handle);
            assert_eq!(wasmlark_sandbox_file(object, std::ptr::null(), 0, std::ptr::null(), 0), Status::Handle);
            assert_eq!(wasmlark_sandbox_argument(object, std::ptr::null(), 0), Status::Handle);
            assert_eq!(wasmlark_sandbox_stdin(object, std::ptr::null(), 0), Status::Handle);
            assert_eq!(wasmlark_sandbox_run(object, std::ptr::null(), 0, std::ptr::null(), 0), 0);
            assert_eq!(wasmlark_run_kind(object), Kind::NoRun);
            assert!(wasmlark_run_text(object, 0, &raw mut length).is_null());
            assert_eq!(wasmlark_run_number(object, 0, &raw mut value), Status::Handle);
            let (none, nowhere) = (std::ptr::null(), std::ptr::null_mut());
            let mut session = 9;
            assert_eq!(wasmlark_session_load(object, none, 0, none, 0, &raw mut session), 0);
            assert_eq!(session, 0);
            assert_eq!(wasmlark_session_call(object, none, 0, std::ptr::null(), 0), 0);
            assert_eq!(wasmlark_session_call_with(object, none, 0, std::ptr::null(), 0, 0, 1, 1, 1), 0);
            assert_eq!(wasmlark_session_get(object, none, 0), 0);
            assert_eq!(wasmlark_caller_read(object.into(), 0, nowhere, 0), Status::Handle);
            assert_eq!(wasmlark_caller_write(object.into(), 0, none, 0), Status::Handle);
            assert_eq!(wasmlark_caller_memory_size(object.into(), &raw mut value), Status::Handle);
        }
        assert_eq!((length, value), (0, 5));
        for made in [
            wasmlark_session_interrupt(object),
            wasmlark_sandbox_interrupt(object),
            wasmlark_value_to_json(object),
            wasmlark_value_item(object, 0),
            wasmlark_run_files(object),
        ] {
            assert_eq!(made, 0);
        }
        for status in [
            wasmlark_session_refill(object),
            wasmlark_interrupt_now(object),
            wasmlark_interrupt_after(object, 1),
            wasmlark_interrupt_reset(object),
            wasmlark_sandbox_interruptible(object, 1),
            wasmlark_sandbox_backtrace(object, 1),
            wasmlark_sandbox_profile(object, 1),
            wasmlark_sandbox_writable(object, 1),
            wasmlark_sandbox_keep_code(object, 1),
        ] {
            assert_eq!(status, Status::Handle);
        }
        assert_eq!(wasmlark_free(object), if object == 0 { Status::Ok } else { Status::Handle });
    }
}

/// Runs many threads with one sandbox; each gets its own result.
#[test]
#[allow(unsafe_code)]
fn many_threads() {
    let sandbox = wasmlark_sandbox_new();
    std::thread::scope(|scope| {
        for i in 0..8_u32 {
            scope.spawn(move || {
                let script = format!("print('{i}')\n{i} * {i}");
                // SAFETY: the texts are alive; the run is freed after its texts are read.
                unsafe {
                    let run = wasmlark_sandbox_run(sandbox, b"f".as_ptr(), 1, script.as_ptr(), script.len());
                    let text = |which: Text| {
                        let mut length = 0;
                        let start = wasmlark_run_text(run, which as u32, &raw mut length);
                        String::from_utf8(std::slice::from_raw_parts(start, length).to_vec()).unwrap()
                    };
                    assert_eq!((text(Text::Output), text(Text::Value)), (format!("{i}\n"), (i * i).to_string()));
                    assert_eq!(wasmlark_free(run), Status::Ok);
                }
            });
        }
    });
    assert_eq!(wasmlark_free(sandbox), Status::Ok);
}

/// Calls one session from many threads: a call that comes too early is told so, and all others are counted.
#[test]
#[allow(unsafe_code)]
fn a_session_in_use() {
    const CALLS: i64 = 50;
    let sandbox = wasmlark_sandbox_new();
    let script = "all = []\ndef count():\n    all.append(1)\n    return len(all)";
    let mut session = 0;
    // SAFETY: the texts and the place are valid.
    let loaded =
        unsafe { wasmlark_session_load(sandbox, b"f".as_ptr(), 1, script.as_ptr(), script.len(), &raw mut session) };
    assert_eq!((wasmlark_run_kind(loaded), wasmlark_free(loaded)), (Kind::Done, Status::Ok));
    let call = || {
        loop {
            // SAFETY: the text is alive.
            let run = unsafe { wasmlark_session_call(session, b"count".as_ptr(), 5, std::ptr::null(), 0) };
            if run != 0 {
                return run;
            }
            let mut length = 0;
            // SAFETY: the text is valid until the next failure in this thread.
            let why = unsafe {
                let start = wasmlark_last_error(&raw mut length);
                std::slice::from_raw_parts(start, length)
            };
            assert!(why.ends_with(b" is in a call, and can have only one at a time"), "{}", why.escape_ascii());
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    let run = call();
                    assert_eq!((wasmlark_run_kind(run), wasmlark_free(run)), (Kind::Done, Status::Ok));
                }
            });
        }
    });
    let run = call();
    let value = wasmlark_run_value(run);
    let mut count = 0;
    // SAFETY: the place is valid.
    assert_eq!(unsafe { wasmlark_value_get_int(value, &raw mut count) }, Status::Ok);
    assert_eq!(count, 4 * CALLS + 1);
    for object in [value, run, session, sandbox] {
        assert_eq!(wasmlark_free(object), Status::Ok);
    }
}

/// Limits far above their defaults get the stack that they need.
#[test]
#[allow(unsafe_code)]
#[cfg(target_pointer_width = "64")]
fn deep_calls_and_deep_source() {
    const DEPTH: usize = 20_000;
    let through_wasm = format!(
        "i = wasm.instantiate(wasm.wat('(module (import \"e\" \"f\" (func $f (param i32) (result i32))) (func (export \"g\") (param i32) \
         (result i32) (call $f (local.get 0))))'), imports = {{\"e\": {{\"f\": lambda c, n: 0 if n == 0 else h(n - 1)}}}})\n\
         def h(n):\n    return i.exports.g(n)\nh({})",
        DEPTH / 8
    );
    let scripts = [
        format!("def f(n):\n    return 0 if n == 0 else f(n - 1)\nf({DEPTH} - 10)"),
        through_wasm,
        format!("x = {}{}", "[".repeat(DEPTH - 10), "]".repeat(DEPTH - 10)),
    ];
    let sandbox = wasmlark_sandbox_new();
    for limit in [Limit::CallDepth, Limit::Nesting, Limit::StackDepth] {
        assert_eq!(wasmlark_sandbox_limit(sandbox, limit as u32, DEPTH as u64), Status::Ok);
    }
    for script in scripts {
        // SAFETY: the texts are alive.
        let run = unsafe { wasmlark_sandbox_run(sandbox, b"f".as_ptr(), 1, script.as_ptr(), script.len()) };
        assert_eq!(wasmlark_run_kind(run), Kind::Done, "{}", script.get(..60).unwrap_or(&script));
        assert_eq!(wasmlark_free(run), Status::Ok);
    }
    // Needing more than the address space holds is a status, not a crash.
    assert_eq!(wasmlark_sandbox_limit(sandbox, Limit::CallDepth as u32, u64::MAX), Status::Ok);
    // SAFETY: the texts are alive.
    let run = unsafe { wasmlark_sandbox_run(sandbox, b"f".as_ptr(), 1, b"1".as_ptr(), 1) };
    assert_eq!(run, 0);
    assert_eq!(wasmlark_free(sandbox), Status::Ok);
}

/// Saves an isolated session, goes on from the bytes and from a fork; or tells that this library cannot.
#[test]
#[allow(unsafe_code)]
fn isolated_sessions() {
    let error = || {
        let mut length = 0;
        // SAFETY: the text is valid until the next failure in this thread.
        let text = unsafe {
            let start = wasmlark_last_error(&raw mut length);
            std::slice::from_raw_parts(start, length)
        };
        String::from_utf8_lossy(text).into_owned()
    };
    let sandbox = wasmlark_sandbox_new();
    let status = wasmlark_sandbox_isolated(sandbox, 1);
    if !cfg!(feature = "isolated") {
        assert_eq!(status, Status::Argument);
        assert_eq!(error(), "this library was built without the feature `isolated`");
        assert_eq!((wasmlark_session_save(sandbox), wasmlark_session_fork(sandbox)), (0, 0));
        assert_eq!(wasmlark_free(sandbox), Status::Ok);
        return;
    }
    if status != Status::Ok {
        assert_eq!(error(), "this library was built without the evaluator's module");
        assert_eq!(wasmlark_free(sandbox), Status::Ok);
        return;
    }
    let script = "all = []\ndef count():\n    all.append(1)\n    return len(all)";
    let mut session = 0;
    // SAFETY: the texts and the place are valid.
    let loaded =
        unsafe { wasmlark_session_load(sandbox, b"f".as_ptr(), 1, script.as_ptr(), script.len(), &raw mut session) };
    assert_eq!((wasmlark_run_kind(loaded), wasmlark_free(loaded)), (Kind::Done, Status::Ok));
    let count = |session: Handle| {
        let mut number = 0;
        // SAFETY: the text is alive, and the place is valid.
        unsafe {
            let run = wasmlark_session_call(session, b"count".as_ptr(), 5, std::ptr::null(), 0);
            let value = wasmlark_run_value(run);
            assert_eq!(wasmlark_value_get_int(value, &raw mut number), Status::Ok, "{}", error());
            assert_eq!((wasmlark_free(value), wasmlark_free(run)), (Status::Ok, Status::Ok));
        }
        number
    };
    assert_eq!(count(session), 1);
    let saved = wasmlark_session_save(session);
    let forked = wasmlark_session_fork(session);
    assert_eq!((count(session), count(session), count(forked)), (2, 3, 2));
    let mut length = 0;
    // SAFETY: the bytes are alive as long as the value.
    let restored = unsafe {
        let start = wasmlark_value_text(saved, &raw mut length);
        wasmlark_sandbox_restore(sandbox, start, length)
    };
    assert_eq!((count(restored), count(restored)), (2, 3));
    // SAFETY: the text is alive.
    assert_eq!(unsafe { wasmlark_sandbox_restore(sandbox, b"nothing".as_ptr(), 7) }, 0);
    assert_eq!(error(), "cannot restore the session: these bytes are not a saved session");
    for object in [session, forked, restored, saved, sandbox] {
        assert_eq!(wasmlark_free(object), Status::Ok);
    }
}
