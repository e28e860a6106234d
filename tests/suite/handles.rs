//! Handles while wasm runs and is entered again, while their store is closed, and after garbage was collected: the paths of
//! all `unsafe` code of the script types, in short scripts, which `.ci/sanitize` runs with AddressSanitizer.

use wasmlark::{Sandbox, Session, Value};

const GUEST: &str = r#"(module
    (import "env" "call" (func $call (param i32) (result i32)))
    (memory (export "memory") 1)
    (global (export "calls") (mut i32) (i32.const 0))
    (func (export "run") (param i32) (result i32) (call $call (local.get 0)))
    (func (export "trap") unreachable))"#;

/// A host function that uses the guest's memory, enters wasm again, and is left through a trap or a failure.
const NESTED: &str = r#"
def call(caller, n):
    caller.memory.write_u32(4 * n, n)
    guest.calls.value += 1
    if n == 0:
        return len(wasm.attempt(guest.trap).trap.code)
    result = guest.run(n - 1) if n % 2 else wasm.attempt(guest.run, n - 1).value
    return result + guest.memory.read_u32(4 * n)

guest = wasm.instantiate("guest.wat", imports = {"env": {"call": call}}).exports

def run(n): return guest.run(n)
def calls(): return guest.calls.value
def waste(): return len([[i] for i in range(3000)])
"#;

/// A host function that closes the store whose code called it.
const CLOSED: &str = r#"
store = wasm.Store()
def call(caller, n):
    if n == 0:
        store.close()
    return n
guest = wasm.instantiate("guest.wat", imports = {"env": {"call": call}}, store = store).exports
memory = guest.memory

def run(n): return guest.run(n)
def close(): store.close()
def read(): return guest.memory.read(0, 1)
def kept(): return memory.read(0, 1)
"#;

fn load(script: &str) -> Session {
    let mut sandbox = Sandbox::new();
    sandbox.file("guest.wat", GUEST);
    sandbox.load("main.star", script).unwrap()
}

fn message(session: &mut Session, function: &str, arguments: &[Value]) -> String {
    session.call_values(function, arguments).unwrap_err().message().to_owned()
}

#[test]
fn wasm_is_entered_again_and_handles_work_meanwhile() {
    let mut session = load(NESTED);
    // 11 for "unreachable", and each number below.
    assert_eq!(session.call_values("run", &[4.into()]).unwrap(), (11 + 4 + 3 + 2 + 1).into());
    // Argument 100,000 is beyond the memory: the host function fails, and leaves the store as usable as before.
    assert!(message(&mut session, "run", &[100_000.into()]).starts_with("cannot write 4 bytes at offset 400000"));
    assert_eq!(session.call_values("run", &[1.into()]).unwrap(), 12.into());
    assert_eq!(session.call_values("calls", &[]).unwrap(), 7.into());
}

#[test]
fn handles_outlive_a_collection() {
    let mut session = load(NESTED);
    for _ in 0..2 {
        assert_eq!(session.call_values("waste", &[]).unwrap(), 3000.into());
        assert_eq!(session.call_values("run", &[1.into()]).unwrap(), 12.into());
    }
}

#[test]
fn a_store_is_closed_only_while_no_code_in_it_runs() {
    let mut session = load(CLOSED);
    assert_eq!(message(&mut session, "run", &[0.into()]), "cannot close a store while code in it is running");
    assert_eq!(session.call_values("run", &[5.into()]).unwrap(), 5.into());
    session.call_values("close", &[]).unwrap();
    for (function, arguments) in [("run", &[5.into()][..]), ("read", &[]), ("kept", &[])] {
        let message = message(&mut session, function, arguments);
        assert!(message.contains("closed"), "{message}");
    }
}

/// The evaluation of a loaded file ends before the script goes on. Its values are frozen then, and its stores closed.
#[test]
fn handles_of_a_loaded_file_do_not_reach_its_store() {
    let mut sandbox = Sandbox::new();
    sandbox.file("guest.wat", GUEST);
    sandbox.file("lib.star", CLOSED);
    let script = "load('lib.star', 'memory', 'run')\ndef use(): return memory.read(0, 1)\ndef enter(): return run(1)";
    let mut session = sandbox.load("main.star", script).unwrap();
    for function in ["use", "enter"] {
        let message = message(&mut session, function, &[]);
        assert!(message.contains("the evaluation that made"), "{message}");
    }
}
