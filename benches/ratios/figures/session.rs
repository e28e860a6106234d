//! An application's calls of a script's functions, through `Session` and without it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use starlark::environment::{Globals, GlobalsBuilder, Module};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::{Heap, UnpackValue, Value};
use wasmlark::Sandbox;

use crate::figures::{raw, script};
use crate::harness::{Effort, Figure, Goal};

const ECHO: &str = "def echo(x):\n    return x\n";

/// A guest that rates two numbers, and a script that decides by the rating. Without a session, `rate` is a builtin.
const GUEST: &str = r#"
(module
    (func (export "rate") (param i32 i32) (result i32)
        (i32.add (i32.mul (local.get 0) (i32.const 3)) (local.get 1))))
"#;
const BINDING: &str = "rate = wasm.instantiate('guest.wasm').exports.rate\n";
const DECIDE: &str = r#"
def decide(request):
    rating = rate(request["amount"], request["age"])
    allow = rating > 100 and request["country"] in ("NL", "JP") and not request["blocked"]
    return {"allow": allow, "rating": rating, "user": request["user"], "path": request["path"]}
"#;

#[derive(Serialize)]
struct Request {
    user: &'static str,
    path: &'static str,
    country: &'static str,
    agent: &'static str,
    method: &'static str,
    amount: i32,
    age: i32,
    attempts: i32,
    score: f64,
    blocked: bool,
}

const REQUEST: Request = Request {
    user: "ada",
    path: "/accounts/17/transfer",
    country: "NL",
    agent: "a browser",
    method: "POST",
    amount: 250,
    age: 36,
    attempts: 1,
    score: 0.75,
    blocked: false,
};

#[derive(Deserialize, Debug, PartialEq)]
struct Decision {
    allow: bool,
    rating: i32,
    user: String,
    path: String,
}

pub fn figures() -> Vec<Figure> {
    vec![echo(), decision(), threads()]
}

fn echo() -> Figure {
    let against = "starlark's `eval_function`";
    Figure::ratio("session echo", against, Goal::Stretch(1.3), Effort::SHORT, 1, |effort, samples| {
        let mut session = Sandbox::new().limits(script::limits()).load("bench.star", ECHO).unwrap();
        let mut ours = |n: u64| {
            let start = Instant::now();
            for _ in 0..n {
                assert_eq!(session.call::<i32>("echo", (5,)).unwrap(), 5);
            }
            start.elapsed()
        };
        by_hand(ECHO, |theirs| {
            let call = |theirs: &mut ByHand<'_, '_, '_>| {
                let five = theirs.heap.alloc(5);
                let echoed = theirs.call("echo", five);
                assert_eq!(i32::unpack_value(echoed).unwrap(), Some(5));
            };
            samples.alternate(effort, &mut ours, &mut |n| theirs.time(n, call));
        });
        Ok(())
    })
}

fn decision() -> Figure {
    let against = "by hand on starlark and wasmi";
    Figure::ratio("session decision", against, Goal::AtMost(1.3), Effort::SHORT, 1, |effort, samples| {
        let mut session = policy().load("bench.star", &format!("{BINDING}{DECIDE}")).unwrap();
        let decided: Decision = session.call("decide", (&REQUEST,)).unwrap();
        let mut ours = |n: u64| time_decisions(&mut session, n);
        by_hand(DECIDE, |theirs| {
            let call = |theirs: &mut ByHand<'_, '_, '_>| {
                let request = alloc_request(&REQUEST, theirs.heap);
                let decision = theirs.call("decide", request);
                assert_eq!(read_decision(decision), decided);
            };
            samples.alternate(effort, &mut ours, &mut |n| theirs.time(n, call));
        });
        Ok(())
    })
}

/// Two threads with a session each, compared with one thread that does the same work: each side does all of it.
fn threads() -> Figure {
    let effort = Effort::LONG.rounds(20).processes(3);
    let against = "the same work on one thread";
    Figure::ratio("session two threads", against, Goal::AtMost(1.0 / 1.9), effort, 1, |effort, samples| {
        const DECISIONS: u64 = 4_000;
        let program = policy().program("bench.star", &format!("{BINDING}{DECIDE}")).unwrap();
        let (mut one, mut two, mut alone) =
            (program.session().unwrap(), program.session().unwrap(), program.session().unwrap());
        let mut ours = |_| {
            let start = Instant::now();
            std::thread::scope(|threads| {
                for session in [&mut one, &mut two] {
                    threads.spawn(move || time_decisions(session, DECISIONS / 2));
                }
            });
            start.elapsed()
        };
        samples.alternate(effort, &mut ours, &mut |_| time_decisions(&mut alone, DECISIONS));
        Ok(())
    })
}

fn policy() -> Sandbox {
    let mut sandbox = Sandbox::new().limits(script::limits());
    sandbox.file("guest.wasm", wat::parse_str(GUEST).unwrap());
    sandbox
}

fn time_decisions(session: &mut wasmlark::Session, n: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..n {
        assert!(session.call::<Decision>("decide", (&REQUEST,)).unwrap().allow);
    }
    start.elapsed()
}

/// A script that has run in an evaluator without this crate's session.
struct ByHand<'v, 'a, 'e> {
    module: &'a Module<'v>,
    heap: Heap<'v>,
    eval: Evaluator<'v, 'a, 'e>,
}

impl<'v> ByHand<'v, '_, '_> {
    fn call(&mut self, name: &str, argument: Value<'v>) -> Value<'v> {
        let function = self.module.get(name).unwrap();
        self.eval.eval_function(function, &[argument], &[]).unwrap()
    }

    fn time(&mut self, n: u64, call: impl Fn(&mut Self)) -> Duration {
        let start = Instant::now();
        for _ in 0..n {
            call(self);
        }
        start.elapsed()
    }
}

fn by_hand<R>(source: &str, f: impl for<'v, 'a, 'e> FnOnce(&mut ByHand<'v, 'a, 'e>) -> R) -> R {
    let ast = AstModule::parse("bench.star", source.to_owned(), &Dialect::Extended).unwrap();
    let globals: Globals = GlobalsBuilder::standard().with(rate_builtin).build();
    Module::with_temp_heap(|module| {
        let mut eval = Evaluator::new(&module);
        eval.eval_module(ast, &globals).unwrap();
        f(&mut ByHand { module: &module, heap: module.heap(), eval })
    })
}

type Rate = wasmi::TypedFunc<(i32, i32), i32>;

thread_local! {
    static RATE: RefCell<(wasmi::Store<()>, Rate)> = RefCell::new({
        let raw = raw::Raw::new(&wat::parse_str(GUEST).unwrap(), true);
        let rate = raw.func("rate").typed(&raw.store).unwrap();
        (raw.store, rate)
    });
}

#[starlark_module]
fn rate_builtin(builder: &mut GlobalsBuilder) {
    fn rate(#[starlark(require = pos)] a: i32, #[starlark(require = pos)] b: i32) -> anyhow::Result<i32> {
        RATE.with_borrow_mut(|(store, rate)| rate.call(store, (a, b)).map_err(anyhow::Error::msg))
    }
}

fn alloc_request<'v>(request: &Request, heap: Heap<'v>) -> Value<'v> {
    heap.alloc(AllocDict([
        ("user", heap.alloc(request.user)),
        ("path", heap.alloc(request.path)),
        ("country", heap.alloc(request.country)),
        ("agent", heap.alloc(request.agent)),
        ("method", heap.alloc(request.method)),
        ("amount", heap.alloc(request.amount)),
        ("age", heap.alloc(request.age)),
        ("attempts", heap.alloc(request.attempts)),
        ("score", heap.alloc(request.score)),
        ("blocked", Value::new_bool(request.blocked)),
    ]))
}

fn read_decision(value: Value<'_>) -> Decision {
    let dict = DictRef::from_value(value).unwrap();
    let text = |name| dict.get_str(name).unwrap().unpack_str().unwrap().to_owned();
    Decision {
        allow: dict.get_str("allow").unwrap().unpack_bool().unwrap(),
        rating: i32::unpack_value(dict.get_str("rating").unwrap()).unwrap().unwrap(),
        user: text("user"),
        path: text("path"),
    }
}
