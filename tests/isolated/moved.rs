//! Sessions that are saved, restored and forked.

use wasmlark::{Error, ErrorKind, Limits, Sandbox, Session, Value};

use super::sandbox;

const SCRIPT: &str = r#"
guest = wasm.instantiate(wasm.wat('''(module (memory (export "memory") 1)
    (global $n (mut i32) (i32.const 0))
    (table 2 funcref) (func $one (result i32) (i32.const 1)) (elem func $one)
    (func (export "fill") (table.set (i32.const 1) (ref.func $one)))
    (func (export "count") (result i32)
        (global.set $n (i32.add (global.get $n) (call_indirect (result i32) (i32.const 1))))
        (i32.store (i32.const 8) (global.get $n))
        (i32.load (i32.const 8))))'''))
guest.exports.fill()
seen = []
def see(name):
    seen.append(name)
    return (guest.exports.count(), len(seen), ask(name))
"#;

fn asking() -> Sandbox {
    let mut sandbox = sandbox();
    sandbox.function("ask", |name: &str| Ok::<_, Error>(format!("<{name}>")));
    sandbox
}

fn see(session: &mut Session, name: &str) -> String {
    session.call_values("see", &[name.into()]).unwrap().to_string()
}

#[test]
fn a_saved_session_goes_on_as_if_it_had_not_been() {
    let sandbox = asking();
    let mut stayed = sandbox.load("main.star", SCRIPT).unwrap();
    let mut moved = sandbox.load("main.star", SCRIPT).unwrap();
    for name in ["ann", "bob", "eve"] {
        assert_eq!(see(&mut stayed, name), see(&mut moved, name));
        // By another sandbox, as in another process.
        moved = asking().restore(&moved.save().unwrap()).unwrap();
        assert_eq!(moved.stats(), stayed.stats());
    }
    assert_eq!(see(&mut moved, "last"), "(4, 4, \"<last>\")");
}

#[test]
fn a_fork_goes_its_own_way() {
    let mut session = asking().load("main.star", SCRIPT).unwrap();
    see(&mut session, "ann");
    let mut other = session.fork().unwrap();
    assert_eq!(see(&mut other, "bob"), "(2, 2, \"<bob>\")");
    assert_eq!(see(&mut other, "eve"), "(3, 3, \"<eve>\")");
    assert_eq!(see(&mut session, "bob"), "(2, 2, \"<bob>\")");
    // The same calls cost the same on both sides.
    let mut third = session.fork().unwrap();
    assert_eq!(third.stats(), session.stats());
    see(&mut session, "x");
    see(&mut third, "x");
    assert_eq!(third.stats(), session.stats());
}

#[test]
fn saved_bytes_are_the_same_each_time_and_small() {
    let save = || asking().load("main.star", SCRIPT).unwrap().save().unwrap();
    let bytes = save();
    assert_eq!(bytes, save());
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
}

#[test]
fn damaged_bytes_are_refused() {
    let sandbox = asking();
    let bytes = sandbox.load("main.star", SCRIPT).unwrap().save().unwrap();
    let refused = |bytes: &[u8]| sandbox.restore(bytes).unwrap_err().message().to_owned();
    assert_eq!(refused(b""), "cannot restore the session: these bytes are not a saved session");
    assert_eq!(refused(b"\0asm\x01\0\0\0"), "cannot restore the session: these bytes are not a saved session");
    let damaged = "cannot restore the session: its bytes were damaged, or it ends too early";
    for length in [18, 30, 1000, bytes.len() - 1] {
        assert_eq!(refused(&bytes[..length]), damaged);
    }
    for at in (18..bytes.len()).step_by(bytes.len() / 50) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        assert_eq!(refused(&bytes), damaged, "{at}");
    }
    let mut other = bytes.clone();
    other[17] = 9;
    assert_eq!(refused(&other), "cannot restore the session: it has version 9 of the format, and this build reads 2");
}

/// Bytes that someone changed on purpose, with a checksum that fits: whatever the session in them does, it ends, and this
/// process goes on.
#[test]
fn forged_bytes_harm_nobody() {
    let limits = Limits::new().heap(16 << 20).memory(16 << 20).files(1 << 20).cost(50_000_000);
    let sandbox = asking().limits(limits);
    let bytes = sandbox.load("main.star", SCRIPT).unwrap().save().unwrap();
    let (mut refused, mut failed, mut same) = (0, 0, 0);
    let end = bytes.len() - 32;
    for at in (18..end).step_by(end / 150) {
        let mut bytes = bytes.clone();
        for byte in &mut bytes[at..(at + 8).min(end)] {
            *byte ^= 0x5a;
        }
        let hash = *blake3::hash(&bytes[..end]).as_bytes();
        bytes[end..].copy_from_slice(&hash);
        match sandbox.restore(&bytes) {
            Err(_) => refused += 1,
            Ok(mut session) => match session.call_values("see", &["ann".into()]) {
                Err(_) => failed += 1,
                Ok(_) => same += 1,
            },
        }
    }
    assert!(refused > 0 && same > 0, "{refused} {failed} {same}");
    assert_eq!(see(&mut sandbox.restore(&bytes).unwrap(), "ann"), "(1, 1, \"<ann>\")");
}

#[test]
fn the_sandbox_must_give_what_the_session_had() {
    let script = format!("{SCRIPT}\nlarge = wasm.Memory(200)\nlarge.write_u8(13000000, 1)");
    let bytes = asking().load("main.star", &script).unwrap().save().unwrap();
    let refused = |sandbox: &Sandbox| sandbox.restore(&bytes).unwrap_err().message().to_owned();
    assert_eq!(
        refused(&sandbox()),
        "cannot restore the session: it was saved in a sandbox that gives function `ask`, which this one does not"
    );
    let mut more = asking();
    more.function("tell", |_: i64| Ok::<_, Error>(1));
    assert_eq!(
        refused(&more),
        "cannot restore the session: this sandbox gives function `tell`, which the one that it was saved in did not"
    );
    let mut other = sandbox();
    other.function("ask", |_: &str, _: i64| Ok::<_, Error>(1));
    assert_eq!(
        refused(&other),
        "cannot restore the session: a function or import of this sandbox has other parameters than where it was saved"
    );
    let small = Limits::new().memory(1 << 20).heap(1).files(0);
    assert_eq!(refused(&asking().limits(small)), "the sandbox's limits leave no room for the memory of the session");
}

#[test]
fn only_isolated_sessions_are_saved() {
    let session = Sandbox::new().load("main.star", "1").unwrap();
    let error = session.save().unwrap_err();
    assert_eq!(error.message(), "only a session of an isolated sandbox can be saved: see `Sandbox::isolated`");
    assert_eq!(session.fork().unwrap_err().kind(), ErrorKind::Value);
}

/// Its files, its clock, its random bytes and what was written.
#[test]
fn a_machine_of_wasi_moves_along() {
    let script = r#"
machine = wasm.wasi(files = {"/a.txt": "one"})
guest = wasm.instantiate(wasm.wat('''(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "go")
        (drop (call $random (i32.const 100) (i32.const 8)))
        (drop (call $time (i32.const 0) (i64.const 0) (i32.const 108)))
        (i32.store (i32.const 0) (i32.const 100))
        (i32.store (i32.const 4) (i32.const 16))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))'''), wasi = machine)
def go():
    guest.exports.go()
    return (machine.stdout, sorted(machine.files.items()))
"#;
    let mut stayed = sandbox().load("main.star", script).unwrap();
    let first = stayed.call_values("go", &[]).unwrap();
    let mut moved = sandbox().restore(&stayed.save().unwrap()).unwrap();
    let next = [stayed.call_values("go", &[]).unwrap(), moved.call_values("go", &[]).unwrap()];
    assert_eq!(next[0], next[1]);
    let length = |value: &Value| value.as_slice().unwrap()[0].as_bytes().unwrap().len();
    assert_eq!((length(&first), length(&next[1])), (16, 32));
}
