//! What the fuzz targets share: limits that keep a run short, and a thread with the stack that they ask for.

use std::cell::RefCell;
use std::sync::mpsc::{Receiver, Sender, channel};

use arbitrary::Unstructured;
use wasm_smith::Config;
use wasmlark::{Error, ErrorKind, Limits, Report, Sandbox};

/// Limits under which a run ends within some ten milliseconds: a guest that never ends must not take the time of a hundred
/// others.
pub fn limits() -> Limits {
    Limits::new()
        .fuel(200_000)
        .ticks(20_000)
        .heap(64 << 20)
        .memory(16 << 20)
        .output(1 << 20)
        .files(4 << 20)
        .call_depth(100)
}

pub fn sandbox() -> Sandbox {
    Sandbox::new().limits(limits())
}

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    static WORKER: RefCell<Option<(Sender<Job>, Receiver<()>)>> = const { RefCell::new(None) };
}

/// Runs a closure in a thread whose stack has room for all that the limits allow. A panic ends the process.
pub fn on_stack(job: impl FnOnce() + Send + 'static) {
    WORKER.with_borrow_mut(|worker| {
        let (jobs, done) = worker.get_or_insert_with(|| {
            let (jobs, todo) = channel::<Job>();
            let (finished, done) = channel();
            let run = move || {
                for job in todo {
                    job();
                    if finished.send(()).is_err() {
                        break;
                    }
                }
            };
            std::thread::Builder::new().stack_size(limits().native_stack()).spawn(run).unwrap();
            (jobs, done)
        });
        jobs.send(Box::new(job)).unwrap();
        if done.recv().is_err() {
            std::process::abort();
        }
    });
}

/// Returns a valid module of what the engine supports, which needs no imports if it `is_closed`.
pub fn module(unstructured: &mut Unstructured<'_>, is_closed: bool) -> arbitrary::Result<Vec<u8>> {
    let config = Config {
        bulk_memory_enabled: true,
        reference_types_enabled: true,
        simd_enabled: true,
        multi_value_enabled: true,
        tail_call_enabled: true,
        memory64_enabled: unstructured.arbitrary()?,
        wide_arithmetic_enabled: true,
        extended_const_enabled: true,
        gc_enabled: false,
        exceptions_enabled: false,
        threads_enabled: false,
        compact_imports_enabled: false,
        export_everything: true,
        allow_start_export: true,
        max_imports: if is_closed { 0 } else { 6 },
        max_memory32_bytes: 4 << 16,
        max_memory64_bytes: 4 << 16,
        max_table_elements: 20,
        max_memories: 2,
        min_funcs: 1,
        max_funcs: 6,
        max_instructions: 150,
        ..Config::default()
    };
    Ok(wasm_smith::Module::new(config, unstructured)?.to_bytes())
}

/// Returns everything that a run produced: what it printed, and its value or error.
pub fn text(report: &Report) -> String {
    match &report.result {
        Ok(value) => format!("{}{value}", report.output),
        Err(error) => format!("{}{error}", report.output),
    }
}

/// The same for a script of the target itself. It can end early because of a module that is refused, a limit, an exit or a
/// trap, and for no other reason: so a script that no longer does what it is for is found, too.
pub fn text_of_own(report: &Report) -> String {
    if let Err(error) = &report.result {
        assert_own(error);
    }
    text(report)
}

pub fn assert_own(error: &Error) {
    use ErrorKind::{Exit, Limit, Link, Module, Trap};
    assert!(matches!(error.kind(), Exit | Limit(_) | Link | Module | Trap(_)), "{error}");
}
