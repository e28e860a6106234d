//! A fleet gives the answers of one process, whatever happens to its workers. `.ci/run fleet` runs these tests.
//!
//! A worker says when it is in the middle of a call, and waits there. So a test decides what happens next, and never sleeps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod server;
mod workers;

use std::fs;

use server::Server;
use workers::{Turn, Workers};

const SESSIONS: usize = 24;
const CALLS: usize = 6;

/// How many calls the worker elsewhere answers at most.
const ELSEWHERE: usize = 24;

/// Every so many calls, the worker in it is killed.
const DEADLY: usize = 15;

#[test]
#[ignore = "needs redis-server, and in FLEET_ELSEWHERE the command of a worker for another processor"]
fn killed_workers_lose_nothing_and_nothing_is_answered_twice() {
    let elsewhere = std::env::var("FLEET_ELSEWHERE").expect("FLEET_ELSEWHERE is a command");
    let server = Server::start("killed");
    let jobs = jobs(&server, SESSIONS, CALLS);
    let mut workers = Workers::new(&server);
    ["a", "b", "c"].into_iter().for_each(|name| workers.start(name));
    workers.start_with("far", &elsewhere.split_whitespace().collect::<Vec<_>>());
    workers.hear_until(|workers| workers.ready == 4);
    workers.submit(&jobs);

    // All are in the middle of a call. Only the one elsewhere goes on, with a session that was saved here.
    workers.hear_until(|workers| workers.holding.len() == 4);
    workers.go("far");
    workers.hear_until(|workers| workers.answered_by("far") == 1 && workers.holding.contains("far"));
    let moved = workers.answered.keys().next().unwrap().clone();
    // It waits until that session, which it saved, has gone on here.
    let next = Turn { call: moved.call + 1, session: moved.session };

    let (mut calls, mut killed) = (0, 0);
    while workers.submitted.is_none() {
        for name in workers.holding.clone() {
            let is_back = workers.answered.contains_key(&next);
            if name == "far" {
                match workers.answered_by("far") {
                    _ if !is_back => {}
                    ELSEWHERE => workers.kill("far"),
                    _ => workers.go("far"),
                }
                continue;
            }
            calls += 1;
            if calls % DEADLY != 0 {
                workers.go(&name);
                continue;
            }
            killed += 1;
            // Most die where they are in their call, some at any moment after that: as they answer, save or put back.
            if killed % 3 == 0 && is_back {
                workers.go(&name);
            }
            workers.kill(&name);
            workers.start(&format!("{name}{killed}"));
        }
        workers.hear();
    }
    assert_eq!(workers.submitted.as_ref(), Some(&alone(&server, &jobs)));
    assert_eq!(server.turns(), 0);
    assert!(killed >= (SESSIONS * CALLS - ELSEWHERE) / DEADLY, "only {killed} were killed");
    assert_ne!(workers.answered[&next], "far");
}

#[test]
#[ignore = "needs redis-server"]
fn an_answer_that_comes_late_is_refused() {
    let server = Server::start("late");
    let jobs = jobs(&server, 1, 2);
    let mut workers = Workers::new(&server);
    workers.start("slow");
    workers.submit(&jobs);
    workers.hear_until(|workers| workers.holding.contains("slow"));
    workers.signal("slow", "STOP");

    // Its lease runs out, and another answers for it.
    workers.start("quick");
    workers.hear_until(|workers| workers.holding.contains("quick"));
    workers.go("quick");
    workers.hear_until(|workers| workers.answered.len() == 1 && workers.holding.contains("quick"));
    workers.go("slow");
    workers.signal("slow", "CONT");
    workers.hear_until(|workers| workers.late == ["slow"]);

    // The same again, but the one that took over is not the first to finish.
    workers.hear_until(|workers| workers.holding.len() == 2);
    workers.go("quick");
    workers.hear_until(|workers| workers.answered.len() == 2);
    workers.go("slow");
    workers.hear_until(|workers| workers.late == ["slow", "slow"] && workers.submitted.is_some());

    assert!(workers.answered.values().all(|name| name == "quick"));
    assert_eq!(workers.submitted.as_ref(), Some(&alone(&server, &jobs)));
    assert_eq!(server.turns(), 0);
}

/// Writes a file of jobs, in which the sessions take turns, and returns its path.
fn jobs(server: &Server, sessions: usize, calls: usize) -> String {
    let job = |session: usize, call: usize| {
        let currency = ["EUR", "CHF", "SEK"][(session + call) % 3];
        let (function, args) = match call {
            0 => ("deposit", format!("1, {}", 1000 + 100 * session)),
            // Some pay more than they have.
            _ => ("pay", format!("{}, {}, {}", 1 + call % 2, 2 + call % 2, 97 * (session + 1) * (call % 4))),
        };
        format!(
            "{{\"session\": \"s{session:02}\", \"function\": \"{function}\", \"args\": [{args}, \"{currency}\"]}}\n"
        )
    };
    let path = server.folder.join("jobs.jsonl");
    let jobs = (0..calls).flat_map(|call| (0..sessions).map(move |session| job(session, call)));
    fs::write(&path, jobs.collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Returns the answers of one process.
fn alone(server: &Server, jobs: &str) -> String {
    let output = server.fleet(&["alone", jobs]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), fs::read_to_string(jobs).unwrap().lines().count());
    answers
}
