//! Memories: ranges of bytes, text, single numbers, arrays.

use std::hint::black_box;
use std::time::{Duration, Instant};

use wasmi::{Memory, MemoryType, Store};

use crate::figures::raw;
use crate::figures::script::{self, UNROLLED, repeat};
use crate::harness::{Effort, Figure, Goal};

/// Nine tenths of the other side's speed.
const AS_FAST: Goal = Goal::AtMost(1.11);
/// Little more than a method that does only this.
const AS_METHOD: Goal = Goal::AtMost(1.3);

const SIZES: [(usize, &str); 3] = [(8, "8 B"), (4 << 10, "4 KiB"), (1 << 20, "1 MiB")];

pub fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (size, label) in SIZES {
        figures.extend(ranges(size, label));
    }
    // Per byte, a large range costs the same as a small one: the time of memcpy.
    figures.extend([(64 << 10, "64 KiB"), (4 << 20, "4 MiB")].map(|(size, label)| {
        let statement = "m.write(0, data)".to_owned();
        against_rust(format!("memory write {label}"), statement, size, overwrite, "memcpy")
    }));
    // A method call alone takes starlark a third of the time that memcpy takes for 4 KiB.
    figures.push(against_method(
        "memory write 4 KiB, as a method".to_owned(),
        "m.write(0, data)".to_owned(),
        "p.take_bytes(0, data)".to_owned(),
        4 << 10,
        AS_METHOD,
    ));
    figures.extend(streaming());
    figures.extend(numbers());
    figures
}

/// Reads and writes of a range. Those of 8 bytes, which are mostly the call, are compared with a Starlark method; the
/// others with Rust.
fn ranges(size: usize, label: &str) -> Vec<Figure> {
    let operations: [(&str, String, String, Rust, &'static str); 5] = [
        ("read", format!("m.read(0, {size})"), format!("p.bytes(0, {size})"), copy_bytes, "allocate and copy"),
        ("read_string", format!("m.read_string(0, {size})"), format!("p.str(0, {size})"), copy_text, "check and copy"),
        (
            "read_cstring",
            if size < 4096 {
                "m.read_cstring(0)".to_owned()
            } else {
                format!("m.read_cstring(0, max_len = {})", size + 1)
            },
            format!("p.str(0, {size})"),
            copy_c_text,
            "search, check and copy",
        ),
        ("write", "m.write(0, data)".to_owned(), "p.take_bytes(0, data)".to_owned(), overwrite, "memcpy"),
        ("write_string", "m.write_string(0, text)".to_owned(), "p.take_str(0, text)".to_owned(), overwrite, "memcpy"),
    ];
    operations
        .into_iter()
        .map(|(name, statement, builtin, rust, against)| {
            let name = format!("memory {name} {label}");
            match size {
                8 => against_method(name, statement, builtin, 8, AS_METHOD),
                _ => against_rust(name, statement, size, rust, against),
            }
        })
        .collect()
}

/// Does the same in Rust, with bytes to read that end in a NUL, or with bytes to write. Allocations are kept, as a
/// script's values are.
type Rust = fn(&mut Buffers, &[u8], u64) -> Duration;

struct Buffers {
    from: Vec<u8>,
    store: Store<()>,
    to: Memory,
    bytes: Vec<Box<[u8]>>,
    texts: Vec<Box<str>>,
}

impl Buffers {
    fn new(size: usize) -> Self {
        let mut from = vec![b'x'; size];
        from.push(0);
        let mut store = raw::store(&raw::engine(true), ());
        let to = Memory::new(&mut store, MemoryType::new((size >> 16) as u32 + 1, None)).unwrap();
        Self { from, store, to, bytes: Vec::new(), texts: Vec::new() }
    }

    fn content(&self) -> &[u8] {
        &self.from[..self.from.len() - 1]
    }
}

fn copy_bytes(buffers: &mut Buffers, _: &[u8], times: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        let copy = black_box(buffers.content()).into();
        buffers.bytes.push(copy);
    }
    start.elapsed()
}

fn copy_text(buffers: &mut Buffers, _: &[u8], times: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        let copy = std::str::from_utf8(black_box(buffers.content())).unwrap().into();
        buffers.texts.push(copy);
    }
    start.elapsed()
}

fn copy_c_text(buffers: &mut Buffers, _: &[u8], times: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        let bytes = black_box(buffers.from.as_slice());
        let end = memchr::memchr(0, bytes).unwrap();
        let copy = std::str::from_utf8(&bytes[..end]).unwrap().into();
        buffers.texts.push(copy);
    }
    start.elapsed()
}

fn overwrite(buffers: &mut Buffers, source: &[u8], times: u64) -> Duration {
    let to = &mut buffers.to.data_mut(&mut buffers.store)[..source.len()];
    let start = Instant::now();
    for _ in 0..times {
        black_box(&mut *to).copy_from_slice(black_box(source));
    }
    start.elapsed()
}

fn against_rust(name: String, statement: String, size: usize, rust: Rust, against: &'static str) -> Figure {
    let source = script(&statement, "pass", size);
    // A script frees nothing while it runs, so large ranges get fewer rounds.
    let effort = if size > 1 << 16 { Effort::SHORT.rounds(5) } else { Effort::SHORT };
    Figure::ratio(name, against, AS_FAST, effort, UNROLLED, move |effort, samples| {
        let mut buffers = Buffers::new(size);
        script::with(&script::engine(), &[], &source, |session| {
            // The same bytes that the script writes: the distance between source and destination within a page matters.
            let source = session.value("BYTES");
            let ours = &mut |n| session.time("ours", n);
            samples.alternate(effort, ours, &mut |n| rust(&mut buffers, source, n * UNROLLED));
        });
        Ok(())
    })
}

fn against_method(name: String, statement: String, method: String, size: usize, goal: Goal) -> Figure {
    let source = script(&statement, &method, size);
    Figure::ratio(name, "a method that does the same", goal, Effort::SHORT, UNROLLED, move |effort, samples| {
        script::with(&script::engine(), &[], &source, |ours| {
            script::with(&script::engine(), &[], &source, |theirs| {
                samples.alternate(effort, &mut |n| ours.time("ours", n), &mut |n| theirs.time("theirs", n));
            });
        });
        Ok(())
    })
}

/// A memory of 65 pages with text at its start and a wide number on its last page, and two functions that use it.
fn script(ours: &str, theirs: &str, size: usize) -> String {
    let locals = "m, p, data, text = memory, probe, BYTES, TEXT";
    let (ours, theirs) = (repeat("ours", locals, ours), repeat("theirs", locals, theirs));
    format!(
        "memory = wasm.Memory(65)
TEXT = 'x' * {size}
BYTES = bytes(TEXT)
memory.write_cstring(0, TEXT)
memory.write_u64(4194328, 8 << 40)
{ours}{theirs}"
    )
}

/// Writes of 4 KiB, one after the other, through a memory larger than the caches, as in programs that move data. The
/// distance between source and destination within a page makes them up to twice as fast, so there are many sources.
fn streaming() -> [Figure; 2] {
    const PIECE: usize = 4 << 10;
    const SIZE: usize = 64 << 20;
    const PIECES: u64 = (SIZE / PIECE) as u64;
    const SOURCES: usize = 16;
    const PART: usize = SIZE / SOURCES;
    let script = || {
        let function = |name: &str, statement: &str| {
            format!(
                "def {name}(n):
    m, p = memory, probe
    for _ in range(n):
        start = 0
        for data in DATA:
            for at in range(start, start + {PART}, {PIECE}):
                {statement}
            start += {PART}
"
            )
        };
        let (ours, theirs) = (function("ours", "m.write(at, data)"), function("theirs", "p.take_bytes(at, data)"));
        // The bytes between two pieces give each a different offset in its page.
        format!(
            "memory = wasm.Memory({})
DATA, BETWEEN = [], []
for _ in range({SOURCES}):
    DATA.append(bytes('x' * {PIECE}))
    BETWEEN.append(bytes('x' * 240))
{ours}{theirs}",
            SIZE >> 16
        )
    };
    let effort = Effort::LONG.rounds(25).processes(4);
    let name = "memory write 4 KiB, through 64 MiB";
    let memcpy = Figure::ratio(name, "memcpy", AS_FAST, effort, PIECES, move |effort, samples| {
        let Buffers { mut store, to, .. } = Buffers::new(SIZE - 1);
        let source = vec![b'x'; 2 * PIECE];
        let mut theirs = |n| {
            let start = Instant::now();
            for _ in 0..n {
                for (index, part) in to.data_mut(&mut store).chunks_exact_mut(PART).enumerate() {
                    let piece = &source[index * PIECE / SOURCES..][..PIECE];
                    for to in part.chunks_exact_mut(PIECE) {
                        black_box(to).copy_from_slice(black_box(piece));
                    }
                }
            }
            start.elapsed()
        };
        script::with(&script::engine(), &[], &script(), |session| {
            samples.alternate(effort, &mut |n| session.time("ours", n), &mut theirs);
        });
        Ok(())
    });
    let name = "memory write 4 KiB, through 64 MiB, as a method";
    let method = "a method that does the same";
    let method = Figure::ratio(name, method, AS_FAST, effort, PIECES, move |effort, samples| {
        script::with(&script::engine(), &[], &script(), |ours| {
            script::with(&script::engine(), &[], &script(), |theirs| {
                samples.alternate(effort, &mut |n| ours.time("ours", n), &mut |n| theirs.time("theirs", n));
            });
        });
        Ok(())
    });
    [memcpy, method]
}

/// Typed reads and writes, and arrays.
fn numbers() -> Vec<Figure> {
    [
        ("read_u8", "m.read_u8(8)", "p.int(8)"),
        ("read_i32", "m.read_i32(8)", "p.int(8)"),
        ("read_u32", "m.read_u32(8)", "p.int(8)"),
        ("read_i64", "m.read_i64(8)", "p.int(8)"),
        ("read_u64 of 40 bits", "m.read_u64(4194328)", "p.wide_int(8)"),
        ("read_f64", "m.read_f64(16)", "p.float(8)"),
        ("m[i]", "m[8]", "p.int(8)"),
        ("write_u8", "m.write_u8(8, 7)", "p.take_int(8, 7)"),
        ("write_i32", "m.write_i32(8, 7)", "p.take_int(8, 7)"),
        ("write_f64", "m.write_f64(16, 1.5)", "p.take_float(16, 1.5)"),
        ("read_array u8 * 1000", "m.read_array('u8', 0, 1000)", "p.ints(1000)"),
        ("read_array i32 * 1000", "m.read_array('i32', 64, 1000)", "p.ints(1000)"),
        ("read_array f64 * 1000", "m.read_array('f64', 64, 1000)", "p.floats(1000)"),
    ]
    .into_iter()
    .map(|(name, ours, theirs)| {
        against_method(format!("memory {name}"), ours.to_owned(), theirs.to_owned(), 0, AS_METHOD)
    })
    .chain(functions())
    .collect()
}

/// The cost of a method call beyond a function call, in starlark itself and in a read.
fn functions() -> [Figure; 2] {
    let against = "a function that returns an int";
    let pair = |name: &str, statement: &str| {
        let source = script(statement, "give_int(8)", 0);
        Figure::ratio(name, against, Goal::Stretch(1.3), Effort::SHORT, UNROLLED, move |effort, samples| {
            script::with(&script::engine(), &[], &source, |ours| {
                script::with(&script::engine(), &[], &source, |theirs| {
                    samples.alternate(effort, &mut |n| ours.time("ours", n), &mut |n| theirs.time("theirs", n));
                });
            });
            Ok(())
        })
    };
    [pair("memory read_u8, as a function", "m.read_u8(8)"), pair("starlark method, as a function", "p.int(8)")]
}
