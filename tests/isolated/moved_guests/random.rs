//! Modules and calls that nobody chose.

use std::fmt::Write as _;

use super::check;

/// Small, and the same everywhere: a linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn is_true(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// What a module has, beyond what all have: the first memory and table are shared by all instances.
#[derive(Default)]
struct Shape {
    is_64: bool,
    globals: Vec<&'static str>,
    data: u64,
    elements: u64,
    operations: u64,
}

const FUNCTIONS: [&str; 6] = [
    "(ref.func $one)",
    "(ref.func $next)",
    "(ref.func $back)",
    "(ref.func $peer)",
    "(ref.func $bad)",
    "(ref.null func)",
];

impl Shape {
    fn new(random: &mut Random) -> Self {
        let globals = (0..1 + random.below(5)).map(|_| random.pick(&["i32", "i64", "f32", "f64", "v128"])).collect();
        Self {
            is_64: random.is_true(),
            globals,
            data: 1 + random.below(3),
            elements: 1 + random.below(3),
            operations: 3,
        }
    }

    /// Returns the text of a module.
    fn text(&self, random: &mut Random) -> String {
        let mut text = String::from(
            r#"(import "e" "memory" (memory $m0 1 6)) (import "e" "table" (table $t0 6 12 funcref))
    (import "e" "things" (table $x0 2 8 externref)) (import "e" "count" (global $shared (mut i32)))
    (import "e" "back" (func $back (result i32))) (import "e" "peer" (func $peer (result i32)))
"#,
        );
        let address = if self.is_64 { "i64 " } else { "" };
        let _ = writeln!(
            text,
            "    (memory $m1 {address}1 {}) (table $t1 4 9 funcref) (table $x1 2 externref)",
            1 + random.below(3)
        );
        let _ = writeln!(
            text,
            "    (global $thing (mut externref) (ref.null extern)) (global $f (mut funcref) (ref.null func))"
        );
        let _ = writeln!(text, "    (global $n (mut i32) (i32.const {}))", random.below(1000));
        for (number, ty) in self.globals.iter().enumerate() {
            let _ = writeln!(text, "    (global $g{number} (mut {ty}) {})", constant(ty, random));
        }
        for number in 0..self.data {
            let bytes: String = (0..1 + random.below(9)).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
            let place = if random.below(3) == 0 {
                format!("(memory $m0) (i32.const {}) ", random.below(8000))
            } else {
                String::new()
            };
            let _ = writeln!(text, "    (data $d{number} {place}\"{bytes}\")");
        }
        for number in 0..self.elements {
            let place = if random.below(3) == 0 { "(table $t1) (i32.const 1) " } else { "" };
            let _ = writeln!(
                text,
                "    (elem $e{number} {place}funcref {} {})",
                random.pick(&FUNCTIONS),
                random.pick(&FUNCTIONS)
            );
        }
        text.push_str(
            r#"    (elem declare func $one $next $back $peer $bad)
    (func $one (result i32) (i32.const 1))
    (func $next (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func $bad (param i64))
    (func (export "t0") (param i32) (result i32) (call_indirect $t0 (result i32) (local.get 0)))
    (func (export "t1") (param i32) (result i32) (call_indirect $t1 (result i32) (local.get 0)))
    (func (export "f") (result i32)
        (table.set $t1 (i32.const 0) (global.get $f)) (call_indirect $t1 (result i32) (i32.const 0)))
    (func (export "x") (param i32) (result externref externref externref)
        (global.get $thing) (table.get $x0 (i32.const 0)) (table.get $x1 (local.get 0)))
    (func (export "keep") (param externref) (global.set $thing (local.get 0)) (table.set $x1 (i32.const 1) (local.get 0)))
"#,
        );
        if random.below(3) == 0 {
            let _ = writeln!(
                text,
                "    (start $start) (func $start (global.set $shared (i32.add (global.get $shared) (call $back))))"
            );
        }
        let size = if self.is_64 { "(i32.wrap_i64 (memory.size $m1))" } else { "(memory.size $m1)" };
        let _ = write!(
            text,
            "    (func (export \"sizes\") (result i32 i32 i32 i32 i32) (memory.size $m0) {size} (table.size $t0) (table.size $t1) (table.size $x0))\n"
        );
        let _ = write!(text, "    (func (export \"globals\") (result i32 i32");
        text.extend(self.globals.iter().map(|ty| format!(" {ty}")));
        text.push_str(") (global.get $shared) (global.get $n)");
        text.extend((0..self.globals.len()).map(|number| format!(" (global.get $g{number})")));
        let index = self.index("(local.get 0)");
        let _ = writeln!(
            text,
            r#")
    (func (export "digest") (result i64 i64) (local i32 i64 i64)
        (loop
            (local.set 1 (i64.add (i64.mul (local.get 1) (i64.const 31)) (i64.load $m0 (local.get 0))))
            (local.set 2 (i64.add (i64.mul (local.get 2) (i64.const 37)) (i64.load $m1 {index})))
            (local.set 0 (i32.add (local.get 0) (i32.const 8)))
            (br_if 0 (i32.lt_u (local.get 0) (i32.const 0x2000))))
        (local.get 1) (local.get 2))"#
        );
        for number in 0..self.operations {
            let _ = writeln!(text, "    (func (export \"op{number}\") (param i32)");
            for _ in 0..2 + random.below(5) {
                let _ = writeln!(text, "        {}", self.statement(random));
            }
            text.push_str("    )\n");
        }
        text
    }

    /// Returns an address in the instance's own memory.
    fn index(&self, index: &str) -> String {
        if self.is_64 { format!("(i64.extend_i32_u {index})") } else { index.to_owned() }
    }

    fn statement(&self, random: &mut Random) -> String {
        let memory = random.below(2);
        let table = random.below(2);
        let number = random.below(64);
        let place =
            format!("(i32.and (i32.mul (local.get 0) (i32.const {})) (i32.const 0x1fff))", 1 + random.below(70_000));
        let index = if memory == 0 { place } else { self.index(&place) };
        let ty = if memory == 1 && self.is_64 { "i64" } else { "i32" };
        let segment = random.below(self.data);
        let element = random.below(self.elements);
        let function = random.pick(&FUNCTIONS);
        match random.below(14) {
            0 | 1 => {
                let global = usize::try_from(random.below(self.globals.len() as u64)).unwrap();
                let ty = self.globals[global];
                let operation = match ty {
                    "v128" => "i64x2.add".to_owned(),
                    "i32" | "i64" => format!("{ty}.{}", random.pick(&["add", "mul", "xor", "rotl"])),
                    _ => format!("{ty}.{}", random.pick(&["add", "mul", "div", "copysign"])),
                };
                format!("(global.set $g{global} ({operation} (global.get $g{global}) {}))", constant(ty, random))
            }
            2 => format!("(i32.store8 $m{memory} {index} (i32.const {number}))"),
            3 => format!("(memory.fill $m{memory} {index} (i32.const {number}) ({ty}.const {number}))"),
            4 => format!("(drop (memory.grow $m{memory} ({ty}.const 1)))"),
            5 => format!("(memory.init $m{memory} $d{segment} {index} (i32.const 0) (i32.const 1))"),
            6 => format!("(data.drop $d{segment})"),
            7 => format!("(table.init $t{table} $e{element} (i32.const {}) (i32.const 0) (i32.const 2))", random.below(5)),
            8 => format!("(elem.drop $e{element})"),
            9 => format!("(table.set $t{table} (i32.const {}) {function})", random.below(5)),
            10 => format!("(drop (table.grow $t{table} {function} (i32.const 1)))"),
            11 => format!("(table.copy $t{table} $t{} (i32.const {}) (i32.const 1) (i32.const 3))", random.below(2), random.below(3)),
            12 => format!("(global.set $f {function}) (global.set $shared (i32.sub (global.get $shared) (call $peer)))"),
            _ => "(table.set $x0 (i32.const 0) (global.get $thing)) (drop (table.grow $x0 (global.get $thing) (i32.const 1)))".to_owned(),
        }
    }
}

fn constant(ty: &str, random: &mut Random) -> String {
    match ty {
        "v128" => format!("(v128.const i32x4 {} {} 7 -1)", random.below(1 << 31), random.below(1 << 31)),
        "i32" => format!("(i32.const {})", random.below(1 << 31)),
        "i64" => format!("(i64.const -{})", random.below(1 << 40)),
        _ => format!("({ty}.const -{}.{})", random.below(1000), random.below(1000)),
    }
}

/// Returns a script with instances of two modules, which share what they import.
fn script(random: &mut Random) -> String {
    let texts = [(); 2].map(|()| Shape::new(random).text(random));
    format!(
        r#"
calls = []
def back(caller):
    calls.append(len(es))
    return len(calls)
made = {{
    "memory": wasm.Memory(1, maximum = 5),
    "table": wasm.Table(6, maximum = 10),
    "things": wasm.Table(2, maximum = 6, type = "externref"),
    "count": wasm.Global("i32", 0, mutable = True),
    "back": back,
    "peer": guest('(global $n (mut i32) (i32.const 0)) (func (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 3))) (global.get $n))').exports.f,
}}
modules = [wasm.Module(wasm.wat("(module " + text + ")")) for text in ['''
{}''', '''
{}''']]
es = []
things = []
def make(n):
    es.append(wasm.instantiate(modules[n], imports = {{"e": made}}).exports)
make(0)
make(1)
make(0)
def see(e):
    sizes = e.sizes()
    for thing in e.x(0) + e.x(1):
        if thing != None:
            thing["seen"] += 1
    return (sizes, e.globals(), e.digest(), [tried(e.t0, i) for i in range(sizes[2])], [tried(e.t1, i) for i in range(sizes[3])], tried(e.f), e.x(1))
def step(n, operation, arg):
    e = es[n % len(es)]
    return (tried(e["op%d" % operation], arg), [str(see(e)) for e in es], things, len(calls))
def keep(n):
    things.append({{"seen": 0, "n": n}})
    es[n % len(es)].keep(things[-1])
def put(n, i):
    made["table"][i] = es[n % len(es)].next
"#,
        texts[0], texts[1]
    )
}

#[test]
fn random_guests() {
    for seed in 0..30 {
        let mut random = Random(seed);
        random.below(1);
        let script = script(&mut random);
        let mut calls = format!("keep {}\nput {} 1\n", random.below(3), random.below(3));
        for _ in 0..5 {
            let n = random.below(4);
            let _ = match random.below(8) {
                0 => writeln!(calls, "make {}", n % 2),
                1 => writeln!(calls, "keep {n}"),
                2 => writeln!(calls, "put {n} {}", random.below(6)),
                _ => writeln!(calls, "step {n} {} {}", random.below(3), 1 + random.below(100_000)),
            };
        }
        calls.push_str("step 0 0 1");
        println!("seed {seed}:\n{script}\n{calls}");
        check(&script, &calls);
    }
}
