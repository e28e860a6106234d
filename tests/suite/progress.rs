//! What an application sees of a run: its memories, and its cost while it goes on.

use std::sync::{Arc, Mutex};

use wasmlark::{Limits, Sandbox, Session, Stats};

const GUEST: &str = r#"(module
    (memory (export "memory") 1) (memory (export "other") 2)
    (func (export "set") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
    (func (export "spin") (param i32)
        (loop $l
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $l (local.get 0)))))"#;

fn open(script: &str) -> Session {
    let mut sandbox = Sandbox::new();
    sandbox.file("guest.wat", GUEST);
    sandbox.open("main.star", script).0
}

fn listed(session: &mut Session) -> Vec<(String, u64)> {
    session.memories().unwrap().into_iter().map(|memory| (memory.name, memory.size >> 16)).collect()
}

#[test]
fn memories_are_listed_once_under_the_name_that_leads_to_them() {
    let mut session = open(
        "b = wasm.instantiate('guest.wat')\na = b.exports.other\nc = b\nfree = wasm.Memory(3)\nprivate = [wasm.instantiate('guest.wat')]\n\
         store = wasm.Store()\ninside = [wasm.instantiate('guest.wat', store = store)]",
    );
    let names = listed(&mut session);
    let names: Vec<(&str, u64)> = names.iter().map(|(name, pages)| (name.as_str(), *pages)).collect();
    let want = [
        ("a", 2),
        ("b.memory", 1),
        ("free", 3),
        ("instance 1.memory", 1),
        ("instance 1.exports.other", 2),
        ("instance 3.memory", 1),
        ("instance 3.exports.other", 2),
    ];
    assert_eq!(names, want);
}

#[test]
fn a_memory_is_read_as_it_is_now_at_no_cost() {
    let mut session = open("guest = wasm.instantiate('guest.wat')");
    assert_eq!(session.read_memory("guest.memory", 65535, 1).unwrap(), [0]);
    session.eval("<console>", "guest.exports.set(65535, 200)").unwrap();
    let before = session.stats();
    assert_eq!(session.read_memory("guest.memory", 65535, 1).unwrap(), [200]);
    assert_eq!(session.read_memory("guest.memory", 0, 65536).unwrap().len(), 65536);
    assert_eq!(session.stats(), before);
    let mut message =
        |name: &str, offset, length| session.read_memory(name, offset, length).unwrap_err().message().to_owned();
    assert_eq!(message("guest.memory", 65535, 2), "cannot read 2 bytes at offset 65535: the memory has 65536 bytes");
    assert_eq!(
        message("guest.memory", u64::MAX, 2),
        format!("cannot read 2 bytes at offset {}: the memory has 65536 bytes", u64::MAX)
    );
    assert_eq!(message("guest.memroy", 0, 1), "the session has no memory `guest.memroy`; did you mean `guest.memory`?");
}

#[test]
fn a_closed_store_lists_nothing() {
    let mut session = open("store = wasm.Store()\nguest = wasm.instantiate('guest.wat', store = store)\nstore.close()");
    assert_eq!(listed(&mut session), []);
}

#[test]
fn a_script_that_failed_leaves_its_session() {
    let (mut session, result) =
        Sandbox::new().open("main.star", "print('begun')\nmemory = wasm.Memory(1)\nmemory.write_u8(9, 7)\n1 // 0");
    assert_eq!(result.unwrap_err().location().map(|place| place.line), Some(4));
    assert_eq!(session.take_output(), "begun\n");
    assert_eq!(session.read_memory("memory", 9, 1).unwrap(), [7]);
    let (mut unparsed, result) = Sandbox::new().open("main.star", "x = (");
    assert!(result.is_err());
    assert_eq!(listed(&mut unparsed), []);
}

/// Runs a script, and returns all that was told, and what it spent.
fn told(sandbox: Sandbox, script: &str) -> (Vec<Stats>, Stats) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = told.clone();
    let mut sandbox = sandbox.on_progress(move |spent| listener.lock().unwrap().push(*spent));
    sandbox.file("guest.wat", GUEST);
    sandbox.file("lib.star", "def work(n):\n    for _ in range(n):\n        pass\nwork(20000)");
    let report = sandbox.report("main.star", script);
    let told = told.lock().unwrap().clone();
    (told, report.stats)
}

fn never_falls(told: &[Stats], last: &Stats) {
    let all: Vec<&Stats> = told.iter().chain([last]).collect();
    for pair in all.windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert!(before.fuel <= after.fuel && before.ticks <= after.ticks, "{before:?} {after:?}");
        assert!(before.memory_peak <= after.memory_peak, "{before:?} {after:?}");
    }
}

#[test]
fn an_interruptible_guest_reports_its_fuel_while_it_runs() {
    let script = "guest = wasm.instantiate('guest.wat')\nguest.exports.spin(1000000)";
    let (told_all, spent) = told(Sandbox::new().interruptible(true), script);
    never_falls(&told_all, &spent);
    assert!(told_all.len() > 20, "{}", told_all.len());
    let last = told_all.last().unwrap();
    assert!(last.fuel.unwrap() > spent.fuel.unwrap() - 200_000, "{last:?} {spent:?}");
    assert_eq!(last.memory_peak, spent.memory_peak);
    // It costs what it costs without.
    assert_eq!(told(Sandbox::new(), script).1, spent);
    // Without fuel, none is told of.
    let (free, _) = told(Sandbox::new().limits(Limits::new().fuel(None)).interruptible(true), script);
    assert!(free.len() > 20 && free.iter().all(|spent| spent.fuel.is_none()));
}

#[test]
fn many_short_calls_are_reported_like_one_long_call() {
    let script = "guest = wasm.instantiate('guest.wat')\ndef f():\n    for _ in range(5000):\n        guest.exports.spin(300)\nf()";
    let (told_all, spent) = told(Sandbox::new().interruptible(true), script);
    never_falls(&told_all, &spent);
    let last = told_all.last().unwrap();
    assert!(last.fuel.unwrap() > spent.fuel.unwrap() - 400_000, "{last:?} {spent:?}");
    assert!(last.ticks + 2000 > spent.ticks, "{last:?} {spent:?}");
}

#[test]
fn the_ticks_of_loaded_files_and_of_later_calls_are_reported() {
    let script = "load('lib.star', 'work')\nwork(30000)";
    let (told_all, spent) = told(Sandbox::new(), script);
    never_falls(&told_all, &spent);
    let last = told_all.last().unwrap();
    assert!(last.ticks > 48_000 && last.ticks <= spent.ticks, "{last:?} {spent:?}");

    let seen = Arc::new(Mutex::new(Stats::default()));
    let listener = seen.clone();
    let sandbox = Sandbox::new().on_progress(move |spent| *listener.lock().unwrap() = *spent);
    let mut session = sandbox.load("main.star", "def work(n):\n    for _ in range(n):\n        pass").unwrap();
    for _ in 0..3 {
        session.call_values("work", &[10_000.into()]).unwrap();
    }
    let last = *seen.lock().unwrap();
    assert!(last.ticks > 27_000 && last.ticks <= session.stats().ticks, "{last:?}");
}
