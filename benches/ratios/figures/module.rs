//! Compiling and instantiating modules, by size and by number.

use std::hint::black_box;
use std::time::{Duration, Instant};

use wasmi::{Instance, Module};
use wasmlark::{Engine, Sandbox};

use crate::figures::raw;
use crate::figures::script::{self, limits};
use crate::harness::allocator;
use crate::harness::{Effort, Figure, Goal, Unit};

const SIZES: [(usize, &str); 3] = [(1 << 10, "1 KB"), (1 << 20, "1 MB"), (14 << 20, "14 MB")];

/// The number of instances of a small module that live at the same time.
const MANY: u64 = 10_000;

/// Everything is counted except its memory of one page.
const SMALL: &str = r#"
(module
    (memory (export "memory") 1)
    (global (export "counter") (mut i32) (i32.const 0))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "next") (result i32)
        (global.set 0 (i32.add (global.get 0) (i32.const 1)))
        (global.get 0)))
"#;

pub fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (size, label) in SIZES {
        figures.push(compile(size, label));
        figures.push(compile_again(size, label));
    }
    figures.push(sandbox_again());
    figures.push(instances());
    figures.push(bytes("module bytes of an instance", Goal::AtMost(16.0), our_bytes));
    figures.push(bytes("module bytes of an instance, wasmi alone", Goal::Stretch(16.0), their_bytes));
    figures
}

fn effort(size: usize) -> Effort {
    match size {
        _ if size > 4 << 20 => Effort::LONG.rounds(2),
        _ if size > 4 << 10 => Effort::LONG.rounds(8).processes(4),
        _ => Effort::LONG.rounds(100),
    }
}

/// From bytes to an instance, on new engines on both sides that have compiled nothing yet.
fn compile(size: usize, label: &'static str) -> Figure {
    let name = format!("module compile and instantiate {label}");
    // Each module is searched for what wasmi miscompiles, and copied if it contains that: see `module::repair`. What an
    // evaluation sets up for its first instance weighs more if the module is small.
    let goal = if size > 4 << 10 { Goal::AtMost(1.2) } else { Goal::AtMost(1.5) };
    Figure::ratio(name, "wasmi, the same bytes", goal, effort(size), 1, move |effort, samples| {
        let wasm = module_of(size);
        samples.alternate(effort, &mut |_| our_compile(&Engine::new(limits()), &wasm), &mut |_| their_compile(&wasm));
        Ok(())
    })
}

/// The same bytes again in another evaluation, where they are recognised by their hash.
fn compile_again(size: usize, label: &'static str) -> Figure {
    let name = format!("module compile again {label}");
    let goal = if size > 4 << 10 { Goal::AtMost(0.1) } else { Goal::AtMost(0.5) };
    Figure::ratio(name, "wasmi, compiling it", goal, effort(size), 1, move |effort, samples| {
        let wasm = module_of(size);
        let engine = Engine::new(limits());
        our_compile(&engine, &wasm);
        samples.alternate(effort, &mut |_| our_compile(&engine, &wasm), &mut |_| their_compile(&wasm));
        Ok(())
    })
}

/// A script with a module of 1 MB that its sandbox runs again, against its first run.
fn sandbox_again() -> Figure {
    const SIZE: usize = 1 << 20;
    let goal = Goal::AtMost(0.1);
    Figure::ratio("module sandbox again 1 MB", "its first run", goal, effort(SIZE), 1, move |effort, samples| {
        let wasm = module_of(SIZE);
        let fresh = || {
            let mut sandbox = Sandbox::new();
            sandbox.file("module.wasm", wasm.clone());
            sandbox
        };
        let run = |sandbox: &Sandbox| {
            let start = Instant::now();
            black_box(sandbox.run("main.star", "wasm.instantiate('module.wasm')").unwrap());
            start.elapsed()
        };
        let kept = fresh();
        run(&kept);
        samples.alternate(effort, &mut |_| run(&kept), &mut |_| run(&fresh()));
        Ok(())
    })
}

fn our_compile(engine: &Engine, wasm: &[u8]) -> Duration {
    let source = "def compile(n):\n    wasm.instantiate(binary)\n";
    script::with(engine, &[("binary", wasm)], source, |session| session.time("compile", 1))
}

fn their_compile(wasm: &[u8]) -> Duration {
    let engine = raw::engine(true);
    let mut store = raw::store(&engine, ());
    let start = Instant::now();
    let module = Module::new(&engine, wasm).unwrap();
    black_box(Instance::new(&mut store, &module, &[]).unwrap());
    start.elapsed()
}

fn instances() -> Figure {
    let name = "module 10,000 instances";
    Figure::ratio(name, "wasmi, as many", Goal::AtMost(1.5), Effort::LONG.rounds(3), MANY, |effort, samples| {
        let wasm = wat::parse_str(SMALL).unwrap();
        let engine = raw::engine(true);
        let module = Module::new(&engine, &wasm).unwrap();
        let mut ours = |_| {
            script::with(&script::engine(), &[("binary", &wasm)], INSTANTIATE, |session| session.time("make", MANY))
        };
        let mut theirs = |_| {
            let mut store = raw::store(&engine, ());
            let mut kept = Vec::new();
            let start = Instant::now();
            for _ in 0..MANY {
                kept.push(Instance::new(&mut store, &module, &[]).unwrap());
            }
            start.elapsed()
        };
        samples.alternate(effort, &mut ours, &mut theirs);
        Ok(())
    })
}

const INSTANTIATE: &str = "
module = wasm.Module(binary)
kept = []
def make(n):
    for _ in range(n):
        kept.append(wasm.instantiate(module))
";

fn bytes(name: &str, goal: Goal, measure: fn() -> u64) -> Figure {
    Figure::amount(name, "without its linear memory", goal, Unit::Kibibytes, move || {
        let page = 1 << 16;
        (measure() as f64 / MANY as f64 - f64::from(page)) / 1024.0
    })
}

fn our_bytes() -> u64 {
    let wasm = wat::parse_str(SMALL).unwrap();
    let engine = Engine::new(limits());
    // Exports and memories are used, so that their handles are counted.
    let source = format!(
        "{INSTANTIATE}def all(n):\n    make(n)\n    for i in kept:\n        i.exports.add(1, i.exports.next())\n        i.memory.read_u8(0)\n"
    );
    script::with(&engine, &[("binary", &wasm)], &source, |session| {
        let before = allocator::allocated();
        session.time("all", MANY);
        allocator::allocated() - before
    })
}

fn their_bytes() -> u64 {
    let wasm = wat::parse_str(SMALL).unwrap();
    let engine = raw::engine(true);
    let mut store = raw::store(&engine, ());
    let module = Module::new(&engine, &wasm).unwrap();
    let before = allocator::allocated();
    for _ in 0..MANY {
        black_box(Instance::new(&mut store, &module, &[]).unwrap());
    }
    allocator::allocated() - before
}

/// A module of about `size` bytes with functions like those of compilers, each with its own constants. All are in a table,
/// some are exported.
pub fn module_of(size: usize) -> Vec<u8> {
    // Bytes of one function with its type index and its place in the table.
    const FUNCTION: usize = 96;
    let count = (size / FUNCTION).max(1);
    let body = |index: usize| {
        let mut code = vec![1, 1, 0x7f]; // one local, an i32
        code.extend([0x03, 0x40]); // loop
        code.extend([0x20, 0, 0x41]); // local.get 0; i32.const
        signed(index as i64, &mut code);
        code.extend([0x6a, 0x22, 2]); // i32.add; local.tee 2
        code.extend([0x41, 0xff, 0xff, 3, 0x71]); // i32.const 65535; i32.and
        code.extend([0x20, 1, 0x36, 2, 0]); // local.get 1; i32.store
        code.extend([0x20, 2, 0x41, 0xff, 0xff, 3, 0x71, 0x28, 2, 16]); // …; i32.load offset=16
        code.extend([0x20, 1, 0x6c, 0x20, 2, 0x73, 0x21, 1]); // i32.mul; i32.xor; local.set 1
        code.extend([0x20, 0, 0x41, 1, 0x6b, 0x22, 0]); // local 0 minus 1
        code.extend([0x41, 0, 0x4a, 0x0d, 0, 0x0b]); // i32.gt_s; br_if 0; end
        code.extend([0x20, 1, 0x41, 7, 0x71, 0x45, 0x04, 0x7f]); // if the low bits of local 1 are 0:
        code.extend([0x20, 0, 0x20, 1, 0x10]); // call the next function
        unsigned((index + 1) % count, &mut code);
        code.extend([0x05, 0x20, 1, 0x0b, 0x0b]); // else local 1; end; end
        code
    };
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    section(1, &mut wasm, |out| out.extend([1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]));
    section(3, &mut wasm, |out| vector(count, out, |_, out| out.push(0)));
    section(4, &mut wasm, |out| {
        out.extend([1, 0x70, 0]);
        unsigned(count, out);
    });
    section(5, &mut wasm, |out| out.extend([1, 0, 4]));
    section(7, &mut wasm, |out| {
        vector(count.min(100), out, |index, out| {
            let name = format!("f{index}");
            out.push(name.len() as u8);
            out.extend(name.as_bytes());
            out.push(0);
            unsigned(index, out);
        });
    });
    section(9, &mut wasm, |out| {
        out.extend([1, 0, 0x41, 0, 0x0b]);
        vector(count, out, unsigned);
    });
    section(10, &mut wasm, |out| {
        vector(count, out, |index, out| {
            let code = body(index);
            unsigned(code.len(), out);
            out.extend(code);
        });
    });
    wasm
}

fn section(id: u8, wasm: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = Vec::new();
    content(&mut bytes);
    wasm.push(id);
    unsigned(bytes.len(), wasm);
    wasm.extend(bytes);
}

fn vector(count: usize, out: &mut Vec<u8>, item: impl Fn(usize, &mut Vec<u8>)) {
    unsigned(count, out);
    (0..count).for_each(|index| item(index, out));
}

/// LEB128.
fn unsigned(mut x: usize, out: &mut Vec<u8>) {
    while x > 0x7f {
        out.push(x as u8 & 0x7f | 0x80);
        x >>= 7;
    }
    out.push(x as u8);
}

fn signed(mut x: i64, out: &mut Vec<u8>) {
    while !(-0x40..0x40).contains(&x) {
        out.push(x as u8 & 0x7f | 0x80);
        x >>= 7;
    }
    out.push(x as u8 & 0x7f);
}
