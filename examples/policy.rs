//! A policy engine: a script decides requests on many threads, and a WebAssembly module computes for it.
//!
//! `cargo run --example policy`

use std::collections::BTreeMap;
use std::thread;

use serde::{Deserialize, Serialize};
use wasmlark::{Error, Limits, Sandbox};

#[derive(Serialize)]
struct Request {
    user: String,
    action: &'static str,
    size: u32,
    tags: Vec<&'static str>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Decision {
    allow: bool,
    #[serde(default)]
    reasons: Vec<String>,
}

/// The application's configuration, which scripts can read.
#[derive(Serialize)]
struct Config {
    threshold: u32,
    forbidden: Vec<&'static str>,
}

const POLICY: &str = r#"
risk = wasm.instantiate("risk.wat").exports.risk

def decide(request):
    reasons = ["tag " + tag for tag in request["tags"] if tag in config["forbidden"]]
    left = quota(user = request["user"])
    if left == None:
        reasons.append("unknown user " + request["user"])
    elif request["size"] > left:
        reasons.append("%d more than the quota of %d" % (request["size"] - left, left))
    score = risk(request["size"], len(request["tags"]))
    if score > config["threshold"]:
        reasons.append("risk of %d" % score)
    return {"allow": not reasons, "reasons": reasons}
"#;

const RISK: &str = r#"
    (module
      (func (export "risk") (param $size i32) (param $tags i32) (result i32)
        (i32.mul (i32.div_u (local.get $size) (i32.const 100)) (i32.add (local.get $tags) (i32.const 1)))))
"#;

/// Makes the sandbox that all threads share. It compiles the module once.
fn sandbox() -> Result<Sandbox, Error> {
    let quotas: BTreeMap<String, u32> = [("ann".into(), 500), ("bob".into(), 50)].into();
    let mut sandbox = Sandbox::new().limits(Limits::new().fuel(1_000_000_000).memory(16 << 20));
    sandbox.file("risk.wat", RISK);
    sandbox.value("config", &Config { threshold: 10, forbidden: vec!["secret"] })?;
    sandbox
        .function("quota", move |user: &str| Ok::<_, Error>(quotas.get(user).copied()))
        .params(["user"])
        .doc("Returns what a user may still store; None for an unknown user.");
    Ok(sandbox)
}

/// Decides all requests on this many threads. Each thread makes its calls in a session of its own.
fn decide(sandbox: &Sandbox, requests: &[Request], threads: usize) -> Result<Vec<Decision>, Error> {
    let share = requests.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let work = |requests| {
            move || {
                let mut session = sandbox.load("policy.star", POLICY)?;
                let decide = |request: &Request| session.call("decide", (request,));
                <[Request]>::iter(requests).map(decide).collect::<Result<Vec<Decision>, Error>>()
            }
        };
        let workers: Vec<_> = requests.chunks(share).map(|requests| scope.spawn(work(requests))).collect();
        let mut decisions = Vec::new();
        for worker in workers {
            let panicked = |_| Error::host("a worker panicked");
            decisions.extend(worker.join().map_err(panicked)??);
        }
        Ok(decisions)
    })
}

/// Runs the example, and checks what it decides.
pub fn main() -> Result<(), Error> {
    let request = |user: &str, size, tags| Request { user: user.to_owned(), action: "put", size, tags };
    let mut requests =
        vec![request("ann", 300, vec!["photo"]), request("bob", 80, vec!["secret"]), request("eve", 9_000, vec![])];
    requests.extend((0..97).map(|size| request("bob", size, vec![])));
    let sandbox = sandbox()?;
    let decisions = decide(&sandbox, &requests, 4)?;
    for (request, decision) in requests.iter().zip(&decisions).take(3) {
        let verdict = if decision.allow { "may" } else { "may not" };
        println!("{} {verdict} {}: {}", request.user, request.action, decision.reasons.join(", "));
    }
    let reasons: Vec<_> = decisions.iter().map(|decision| decision.reasons.join(", ")).take(3).collect();
    assert_eq!(reasons, ["", "tag secret, 30 more than the quota of 50", "unknown user eve, risk of 90"]);
    assert_eq!(decisions.iter().filter(|decision| decision.allow).count(), 1 + 51);
    assert_eq!(decisions, decide(&sandbox, &requests, 1)?, "the number of threads changes nothing");
    Ok(())
}
