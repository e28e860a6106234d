//! Third-party modules at work, against wasmi with the same host functions in Rust.
//!
//! `python3 examples/real/fetch.py` fetches them. They take seconds each, so they are measured only when they are asked
//! for: `cargo bench -- real`.

use std::path::Path;
use std::time::{Duration, Instant};

use wasmi::Module;
use wasmlark::Engine;

use crate::figures::machine::Machine;
use crate::figures::raw;
use crate::figures::script::{self, limits};
use crate::harness::{Effort, Figure, Goal};

pub fn figures() -> Vec<Figure> {
    vec![
        figure("hw_bcrypt", "real hw_bcrypt", BCRYPT, bcrypt),
        figure("uap_bench", "real uap_bench", UAP, uap),
        figure("doom", "real doom, 400 steps", DOOM, doom),
        figure("python312", "real python312", PYTHON, python),
    ]
}

/// Both sides do the work once, on a new instance of a module that is already compiled, and must come to the same
/// result.
fn figure(
    id: &'static str,
    name: &str,
    source: &'static str,
    theirs: fn(&mut Machine) -> (Duration, Vec<u8>),
) -> Figure {
    Figure::ratio(
        name,
        "wasmi, host functions in Rust",
        Goal::AtMost(1.02),
        Effort::LONG.rounds(3).processes(1),
        1,
        move |effort, samples| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/real/modules/{id}.wasm"));
            let wasm =
                std::fs::read(&path).map_err(|_| format!("no {id}.wasm: python3 examples/real/fetch.py {id}"))?;
            let our_engine = Engine::new(limits());
            let engine = raw::engine(true);
            let module = Module::new(&engine, &wasm).unwrap();
            // Compiles the module before anything is timed.
            script::with(&our_engine, &[("binary", &wasm)], "wasm.Module(binary)", |_| ());
            let (mut our_result, mut their_result) = (Vec::new(), Vec::new());
            let mut ours = |_| {
                script::with(&our_engine, &[("binary", &wasm)], source, |session| {
                    let took = session.time("run", 1);
                    our_result = session.bytes("result");
                    took
                })
            };
            let mut theirs = |_| {
                let took;
                (took, their_result) = theirs(&mut Machine::new(&engine, &module));
                took
            };
            samples.alternate(effort, &mut ours, &mut theirs);
            assert_eq!(our_result, their_result, "{id}: both sides must do the same work");
            Ok(())
        },
    )
}

const BCRYPT: &str = "
state = {}
def run(n):
    i = wasm.instantiate(binary)
    at = i.exports.Hash_GetBuffer()
    i.memory.write(at, b'0123456789abcdef')
    i.memory.write(at + 16, b'password')
    i.exports.bcrypt(8, 10, 1)
    state['result'] = i.memory.read(at, 60)
def result(n):
    return state['result']
";

fn bcrypt(machine: &mut Machine) -> (Duration, Vec<u8>) {
    let start = Instant::now();
    machine.instantiate();
    let at = machine.call("Hash_GetBuffer", &[]) as usize;
    machine.memory_mut()[at..at + 24].copy_from_slice(b"0123456789abcdefpassword");
    machine.call("bcrypt", &[8, 10, 1]);
    (start.elapsed(), machine.memory_mut()[at..at + 60].to_vec())
}

const UAP: &str = "
AGENT = b'Mozilla/5.0 (X11; Linux x86_64; rv:85.0) Gecko/20100101 Firefox/85.0'
state = {}
def run(n):
    i = wasm.instantiate(binary, wasi = wasm.wasi())
    at = i.exports.alloc(len(AGENT), 1)
    i.memory.write(at, AGENT)
    state['result'] = bytes(str(i.exports.run(at, len(AGENT))))
def result(n):
    return state['result']
";

fn uap(machine: &mut Machine) -> (Duration, Vec<u8>) {
    const AGENT: &[u8] = b"Mozilla/5.0 (X11; Linux x86_64; rv:85.0) Gecko/20100101 Firefox/85.0";
    let start = Instant::now();
    machine.instantiate();
    let length = AGENT.len() as i32;
    let at = machine.call("alloc", &[length, 1]);
    machine.memory_mut()[at as usize..][..AGENT.len()].copy_from_slice(AGENT);
    let known = machine.call("run", &[at, length]);
    (start.elapsed(), known.to_string().into_bytes())
}

const DOOM: &str = "
memory = wasm.Memory(108)
state = {'now': 0, 'screen': 0}
log = []
def draw_screen(caller, ptr):
    state['screen'] = ptr
def write(caller, ptr, length):
    log.append(memory.read_string(ptr, length))
def run(n):
    doom = wasm.instantiate(binary, imports = {
        'env': {'memory': memory},
        'js': {
            'js_milliseconds_since_start': lambda caller: state['now'],
            'js_draw_screen': draw_screen,
            'js_console_log': write,
            'js_stdout': write,
            'js_stderr': write,
        },
    })
    doom.exports.main(0, 0)
    for _ in range(400):
        state['now'] += 29
        doom.exports.doom_loop_step()
def result(n):
    return memory.read(state['screen'], 640 * 400 * 4)
";

fn doom(machine: &mut Machine) -> (Duration, Vec<u8>) {
    let start = Instant::now();
    machine.instantiate();
    machine.call("main", &[0, 0]);
    for _ in 0..400 {
        machine.store.data_mut().now += 29;
        machine.call("doom_loop_step", &[]);
    }
    let took = start.elapsed();
    let at = machine.store.data().screen;
    (took, machine.memory_mut()[at..at + 640 * 400 * 4].to_vec())
}

const PROGRAM: &str = "
import hashlib, json
words = {}
for i in range(20000):
    words.setdefault(hashlib.sha256(b'%d' % i).hexdigest()[:2], []).append(i)
print(len(words), len(json.dumps(words)))
";

const PYTHON: &str = r#"
PROGRAM = """
import hashlib, json
words = {}
for i in range(20000):
    words.setdefault(hashlib.sha256(b'%d' % i).hexdigest()[:2], []).append(i)
print(len(words), len(json.dumps(words)))
"""
state = {}
def run(n):
    machine = wasm.wasi(args = ['python', '-c', PROGRAM])
    code = wasm.instantiate(binary, wasi = machine).start()
    state['result'] = machine.stdout + bytes(str(code))
def result(n):
    return state['result']
"#;

fn python(machine: &mut Machine) -> (Duration, Vec<u8>) {
    machine.store.data_mut().args = ["python", "-c", PROGRAM].map(|arg| format!("{arg}\0")).to_vec();
    let start = Instant::now();
    machine.instantiate();
    machine.call("_start", &[]);
    let took = start.elapsed();
    let mut result = machine.store.data().output.clone();
    result.extend(b"0");
    (took, result)
}
