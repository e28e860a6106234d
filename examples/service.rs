//! A service in which each tenant has a script that serves many requests. No tenant can take what belongs to the others.
//!
//! `cargo run --example service`

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use wasmlark::{CallLimits, Error, ErrorKind, Interrupt, Limit, Limits, Program, Sandbox, Session, Value};

/// The memory that a tenant may use, and the fuel and ticks that a session may use until it is renewed.
const LIMITS: fn() -> Limits = || Limits::new().memory(4 << 20).heap(8 << 20).fuel(50_000_000).ticks(1_000_000);

/// The part of that which one request may use.
const REQUEST: CallLimits = CallLimits::new().fuel(1_000_000).ticks(10_000).deadline(Duration::from_secs(5));

/// A tenant: a program, and sessions that wait for the next request.
struct Tenant {
    program: Program,
    idle: Vec<Session>,
    stop: Interrupt,
}

impl Tenant {
    fn new(script: &str) -> Result<Self, Error> {
        // Compiled code is kept up to a mebibyte per tenant; beyond that, it is freed with the sessions that use it.
        let mut sandbox = Sandbox::new().limits(LIMITS()).interruptible(true).max_kept_code(1 << 20);
        sandbox.file("hash.wat", HASH);
        Ok(Self { program: sandbox.program("tenant.star", script)?, idle: Vec::new(), stop: sandbox.interrupt() })
    }

    /// Answers a request. If it fails, the session may be in an inconsistent state and is not used again.
    fn answer(&mut self, request: &str) -> Result<Value, Error> {
        let mut session = match self.idle.pop() {
            Some(session) => session,
            None => self.program.session()?,
        };
        session.refill()?;
        let answer = session.call_values_with("answer", &[request.into()], &[], REQUEST)?;
        self.idle.push(session);
        Ok(answer)
    }
}

const HASH: &str = r#"
    (module
      (memory (export "memory") 1)
      (func (export "hash") (param $length i32) (result i32)
        (local $hash i32)
        (loop $next
          (local.set $length (i32.sub (local.get $length) (i32.const 1)))
          (local.set $hash (i32.add (i32.mul (local.get $hash) (i32.const 31)) (i32.load8_u (local.get $length))))
          (br_if $next (local.get $length)))
        (local.get $hash))
      (func (export "spin") (loop $again (br $again))))
"#;

const GOOD: &str = r#"
guest = wasm.instantiate("hash.wat")
seen = []

def answer(request):
    seen.append(request)
    guest.memory.write_string(0, request)
    return "%d: %d" % (len(seen), guest.exports.hash(len(request)))
"#;

const ENDLESS: &str = "def answer(request):\n    for _ in range(1000000000): pass";
const GREEDY: &str = "guest = wasm.instantiate('hash.wat')\ndef answer(request): return guest.exports.spin()";

/// Runs the example, and checks what each tenant gets.
pub fn main() -> Result<(), Error> {
    let scripts = [("good", GOOD), ("other", GOOD), ("endless", ENDLESS), ("greedy", GREEDY)];
    let mut tenants = BTreeMap::new();
    for (name, script) in scripts {
        tenants.insert(name, Tenant::new(script)?);
    }
    // Here each tenant has a thread; in a service, any thread may serve any tenant.
    let answers: BTreeMap<&str, Vec<Result<Value, Error>>> = thread::scope(|scope| {
        let work = |tenant: &mut Tenant| ["a", "bc", "def"].map(|request| tenant.answer(request)).into();
        let threads: Vec<_> =
            tenants.iter_mut().map(|(name, tenant)| (*name, scope.spawn(move || work(tenant)))).collect();
        threads.into_iter().map(|(name, thread)| (name, thread.join().unwrap_or_default())).collect()
    });
    for (name, answers) in &answers {
        let shown =
            answers.iter().map(|answer| answer.as_ref().map_or_else(|e| e.message().to_owned(), Value::to_string));
        println!("{name}: {}", shown.collect::<Vec<_>>().join(", "));
    }
    let kind = |name: &str| {
        answers
            .get(name)
            .into_iter()
            .flatten()
            .map(|answer| answer.as_ref().map_err(Error::kind).err())
            .collect::<Vec<_>>()
    };
    assert_eq!(kind("good"), [None; 3]);
    for name in ["good", "other"] {
        let last = answers.get(name).and_then(|answers| answers.last()).and_then(|answer| answer.as_ref().ok());
        assert_eq!(last, Some(&"3: 101253".into()), "no tenant sees what another asked");
    }
    assert_eq!(kind("endless"), [Some(ErrorKind::Limit(Limit::Ticks)); 3]);
    assert_eq!(kind("greedy"), [Some(ErrorKind::Limit(Limit::Fuel)); 3]);
    // Closing a tenant ends whatever it runs.
    let Some(good) = tenants.get_mut("good") else { return Ok(()) };
    good.stop.after(Duration::ZERO);
    println!("closed: {:?}", good.answer("g").map_err(|error| error.kind()));
    Ok(())
}
