//! Guests go on as they were when their session is saved, restored and forked: whatever they keep for themselves, too.
//!
//! A session that is not isolated says what is right, and one that stays where it is says what it costs.

mod functions;
mod globals;
mod hosts;
mod instances;
mod memories;
mod random;

mod segments;
mod starts;
mod stores;
mod tables;

use wasmlark::{Error, Limits, Sandbox, Session, Stats, Value};

use super::sandbox;

const PRELUDE: &str = r#"
def guest(text, **kwargs):
    return wasm.instantiate(wasm.wat("(module " + text + ")"), **kwargs)

def tried(function, *args):
    outcome = wasm.attempt(function, *args)
    return outcome.value if outcome else outcome.trap.code
"#;

/// A script, and the calls of its functions.
struct Case {
    script: String,
    calls: Vec<Call>,
    limits: Limits,
    set_up: fn(&mut Sandbox),
}

/// A function with ints as its arguments, and what it must return where that is known.
#[derive(Clone)]
struct Call {
    name: String,
    args: Vec<Value>,
    expected: Option<String>,
}

/// What a call has returned, or why it failed.
type Answer = Result<String, String>;

/// What a session has answered, and its figures after that.
type Answers = Vec<(Answer, Stats)>;

/// Checks that the calls have the same answers and figures in sessions that stay and in sessions that move.
///
/// `calls` has one per line: `name argument… = what it returns`, where the last part may be left out.
fn check(script: &str, calls: &str) {
    Case::new(script, calls).check();
}

impl Case {
    fn new(script: &str, calls: &str) -> Self {
        let calls = calls.lines().map(str::trim).filter(|line| !line.is_empty()).map(Call::parse).collect();
        Self { script: format!("{PRELUDE}{script}"), calls, limits: Limits::new(), set_up: |_| () }
    }

    fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn set_up(mut self, set_up: fn(&mut Sandbox)) -> Self {
        self.set_up = set_up;
        self
    }

    fn check(&self) {
        let stayed = self.stayed();
        self.check_restored(&stayed);
        self.check_forked(&stayed);
    }

    /// Returns what a session answers that stays where it is.
    fn stayed(&self) -> Answers {
        let plain = answers(&mut self.load_in(&self.sandbox_of(Sandbox::new())), &self.calls);
        let isolated = answers(&mut self.load(), &self.calls);
        assert!(!plain.is_empty());
        for ((call, (right, stats)), (answer, figures)) in self.calls.iter().zip(&plain).zip(&isolated) {
            let shown = call.shown();
            assert_eq!(right, answer, "{shown}, isolated");
            let same = |stats: &Stats| (stats.fuel, stats.ticks, stats.memory_peak);
            assert_eq!(same(stats), same(figures), "{shown}, isolated");
            if let Some(expected) = &call.expected {
                let (Ok(text) | Err(text)) = answer;
                assert_eq!(text, expected, "{shown}");
            }
        }
        isolated
    }

    /// Between every two calls, the session moves into another sandbox, as to another process.
    fn check_restored(&self, stayed: &Answers) {
        let mut session = self.load();
        for (call, (answer, stats)) in self.calls.iter().zip(stayed) {
            let shown = call.shown();
            let bytes = session.save().unwrap_or_else(|error| panic!("before {shown}: {error}"));
            session = self.sandbox().restore(&bytes).unwrap_or_else(|error| panic!("before {shown}: {error}"));
            assert_eq!(&call.make(&mut session), answer, "{shown}, restored");
            assert_eq!(&session.stats(), stats, "{shown}, restored");
        }
    }

    /// Between every two calls, a fork goes on. The sessions that it leaves behind go on later.
    fn check_forked(&self, stayed: &Answers) {
        let mut session = self.load();
        let mut left = Vec::new();
        for (number, (call, (answer, stats))) in self.calls.iter().zip(stayed).enumerate() {
            let shown = call.shown();
            let fork = session.fork().unwrap_or_else(|error| panic!("before {shown}: {error}"));
            left.push((number, std::mem::replace(&mut session, fork)));
            assert_eq!(&call.make(&mut session), answer, "{shown}, forked");
            assert_eq!(&session.stats(), stats, "{shown}, forked");
        }
        for (number, mut parent) in left {
            let rest = answers(&mut parent, &self.calls[number..]);
            assert_eq!(rest, stayed[number..], "what was forked before {}", self.calls[number].shown());
        }
    }

    fn sandbox(&self) -> Sandbox {
        self.sandbox_of(sandbox())
    }

    fn sandbox_of(&self, sandbox: Sandbox) -> Sandbox {
        let mut sandbox = sandbox.limits(self.limits.clone());
        (self.set_up)(&mut sandbox);
        sandbox
    }

    fn load(&self) -> Session {
        self.load_in(&self.sandbox())
    }

    fn load_in(&self, sandbox: &Sandbox) -> Session {
        sandbox.load("main.star", &self.script).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Call {
    fn parse(line: &str) -> Self {
        let (call, expected) = line.split_once(" = ").map_or((line, None), |(call, expected)| (call, Some(expected)));
        let mut words = call.split_whitespace();
        let name = words.next().unwrap().to_owned();
        let args = words.map(|word| Value::from(word.parse::<i64>().unwrap())).collect();
        Self { name, args, expected: expected.map(str::to_owned) }
    }

    fn make(&self, session: &mut Session) -> Answer {
        let message = |error: Error| error.message().to_owned();
        session.call_values(&self.name, &self.args).map(|value| value.to_string()).map_err(message)
    }

    fn shown(&self) -> String {
        format!("{}{:?}", self.name, self.args)
    }
}

fn answers(session: &mut Session, calls: &[Call]) -> Answers {
    calls.iter().map(|call| (call.make(session), session.stats())).collect()
}
