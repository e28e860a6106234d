//! Runs a module in two engines, step by step, and reports where they differ.

use crate::case::Case;
use crate::engine::{Engine, Failure, Machine, Trap};
use crate::plan;

/// The number of calls after which the contents of memories are compared.
const DEEP: usize = 8;
/// How often a module is restarted after a call that cannot be compared.
const RESTARTS: usize = 4;

/// The result of a module.
#[derive(Debug)]
pub struct Verdict {
    pub calls: u64,
    /// Why calls were left out.
    pub cut: Vec<String>,
    pub outcome: Outcome,
}

#[derive(Debug)]
pub enum Outcome {
    Same,
    /// Nothing could be compared.
    Skipped(String),
    /// One engine rejects a module that the other accepts.
    Rejected {
        by: &'static str,
        why: String,
    },
    Differs {
        class: String,
        text: String,
    },
}

/// Compares how two engines run a module.
pub fn compare(left: &dyn Engine, right: &dyn Engine, case: &Case) -> Verdict {
    let mut verdict = Verdict { calls: 0, cut: Vec::new(), outcome: Outcome::Same };
    let mut plan = plan::calls(&case.interface, case.seed);
    for _ in 0..=RESTARTS {
        let (mut one, mut other) = match start(left, right, case) {
            Ok(machines) => machines,
            Err(outcome) => {
                verdict.outcome = outcome;
                return verdict;
            }
        };
        let mut pair = Pair { names: (left.name(), right.name()), left: &mut *one, right: &mut *other, case };
        match pair.run(&plan, &mut verdict) {
            None => break,
            Some(at) => {
                // A call that cannot be compared may have left anything behind.
                let index = plan.get(at).map_or(usize::MAX, |call| call.index);
                plan = plan.split_off(at + 1);
                plan.retain(|call| call.index != index);
            }
        }
    }
    if verdict.calls == 0 && matches!(verdict.outcome, Outcome::Same) {
        let why = verdict.cut.first().map_or("it exports no function", String::as_str);
        verdict.outcome = Outcome::Skipped(why.to_owned());
    }
    verdict
}

type Machines = (Box<dyn Machine>, Box<dyn Machine>);

fn start(left: &dyn Engine, right: &dyn Engine, case: &Case) -> Result<Machines, Outcome> {
    match (left.start(case), right.start(case)) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Failure::Rejected(_)), Err(Failure::Rejected(why))) => {
            Err(Outcome::Skipped(format!("rejected: {}", headline(&why))))
        }
        (Err(Failure::Trap(one)), Err(Failure::Trap(other))) if one == other => {
            Err(Outcome::Skipped("it traps at its start".to_owned()))
        }
        (Err(Failure::Trap(trap)), _) | (_, Err(Failure::Trap(trap))) if !trap.is_comparable() => {
            Err(Outcome::Skipped(trap.to_string()))
        }
        (Err(Failure::Rejected(why)), _) => Err(Outcome::Rejected { by: left.name(), why }),
        (_, Err(Failure::Rejected(why))) => Err(Outcome::Rejected { by: right.name(), why }),
        (one, other) => {
            let class = "at the start".to_owned();
            let said = |result: Result<Box<dyn Machine>, Failure>| match result {
                Ok(_) => "it starts".to_owned(),
                Err(failure) => format!("{failure:?}"),
            };
            let text = format!("{}: {}\n{}: {}", left.name(), said(one), right.name(), said(other));
            Err(Outcome::Differs { class, text })
        }
    }
}

struct Pair<'a> {
    names: (&'static str, &'static str),
    left: &'a mut dyn Machine,
    right: &'a mut dyn Machine,
    case: &'a Case,
}

impl Pair<'_> {
    /// Makes the calls; returns the index of one that cannot be compared.
    fn run(&mut self, plan: &[plan::Call], verdict: &mut Verdict) -> Option<usize> {
        for (at, call) in plan.iter().enumerate() {
            let one = self.left.call(call.index, &call.args);
            let other = self.right.call(call.index, &call.args);
            for result in [&one, &other] {
                if let Err(trap) = result
                    && !trap.is_comparable()
                {
                    verdict.cut.push(trap.to_string());
                    return Some(at);
                }
            }
            verdict.calls += 1;
            if one != other {
                let class = match (&one, &other) {
                    (Ok(_), Ok(_)) => "results",
                    (Err(_), Ok(_)) => "a trap that should not be",
                    (Ok(_), Err(_)) => "no trap where one should be",
                    (Err(_), Err(_)) => "another trap",
                };
                self.report(class, at, call, &said(&one), &said(&other), verdict);
                return None;
            }
            let deep = at % DEEP == DEEP - 1 || at + 1 == plan.len();
            let (mine, theirs) = (self.left.state(deep), self.right.state(deep));
            if mine != theirs {
                let (class, one, other) = if mine.host != theirs.host {
                    ("calls of the host", format!("{:#x}", mine.host), format!("{:#x}", theirs.host))
                } else if mine.globals != theirs.globals {
                    ("globals", format!("{:?}", mine.globals), format!("{:?}", theirs.globals))
                } else if mine.tables != theirs.tables {
                    ("tables", format!("{:?}", mine.tables), format!("{:?}", theirs.tables))
                } else {
                    ("memories", format!("{:x?}", mine.memories), format!("{:x?}", theirs.memories))
                };
                self.report(class, at, call, &one, &other, verdict);
                return None;
            }
        }
        None
    }

    fn report(&self, class: &str, at: usize, call: &plan::Call, one: &str, other: &str, verdict: &mut Verdict) {
        let name = self.case.interface.funcs().nth(call.index).map_or("?", |(name, _)| name);
        let text = format!("call {at}: \"{name}\" {:?}\n{}: {one}\n{}: {other}", call.args, self.names.0, self.names.1);
        verdict.outcome = Outcome::Differs { class: class.to_owned(), text };
    }
}

/// Shows what an engine does in the first calls.
pub fn transcript(engine: &dyn Engine, case: &Case, calls: usize) -> String {
    let mut machine = match engine.start(case) {
        Ok(machine) => machine,
        Err(failure) => return format!("{failure:?}\n"),
    };
    let mut out = String::new();
    for call in plan::calls(&case.interface, case.seed).into_iter().take(calls) {
        let name = case.interface.funcs().nth(call.index).map_or("?", |(name, _)| name);
        let result = said(&machine.call(call.index, &call.args));
        out += &format!("\"{name}\" {:?}: {result}\n", call.args);
    }
    out
}

fn said(result: &Result<Vec<crate::value::Value>, Trap>) -> String {
    match result {
        Ok(values) => format!("{values:?}"),
        Err(trap) => format!("trap: {trap}"),
    }
}

/// Returns a message without what is specific to one module.
pub fn headline(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.split(" (at offset").next().unwrap_or(line);
    line.chars().filter(|c| !c.is_ascii_digit()).take(100).collect()
}
