//! Workers that stop in the middle of each call until they are told to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::server::{FLEET, Server};

/// How long a worker has a turn to itself. The tests do not depend on it: they take as much longer as it is.
const LEASE: &str = "500";

/// A test that hears nothing for so long hangs: no worker needs it, not even on a machine that is busy.
const SILENCE: Duration = Duration::from_secs(900);

/// A call of a session.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    pub session: String,
    pub call: u64,
}

/// Workers, and what was heard of them.
pub struct Workers<'a> {
    server: &'a Server,
    processes: BTreeMap<String, Child>,
    sender: Sender<(String, String)>,
    lines: Receiver<(String, String)>,
    pub ready: usize,
    /// Those in the middle of a call, where they wait.
    pub holding: BTreeSet<String>,
    /// What was answered, and by whom. The last word of a worker that was killed may be missing.
    pub answered: BTreeMap<Turn, String>,
    /// Those whose answers were refused.
    pub late: Vec<String>,
    /// What `submit` printed.
    pub submitted: Option<String>,
}

impl<'a> Workers<'a> {
    pub fn new(server: &'a Server) -> Self {
        let (sender, lines) = mpsc::channel();
        Self {
            server,
            processes: BTreeMap::new(),
            sender,
            lines,
            ready: 0,
            holding: BTreeSet::new(),
            answered: BTreeMap::new(),
            late: Vec::new(),
            submitted: None,
        }
    }

    /// Starts a worker of this build.
    pub fn start(&mut self, name: &str) {
        self.start_with(name, &[FLEET]);
    }

    /// Starts a worker by a command.
    pub fn start_with(&mut self, name: &str, command: &[&str]) {
        let mut process = Command::new(command[0])
            .args(&command[1..])
            .args(["worker", name, "--lease", LEASE, "--hold"])
            .env("FLEET_REDIS", &self.server.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        self.processes.insert(name.to_owned(), process);
        let (sender, name) = (self.sender.clone(), name.to_owned());
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send((name.clone(), line))));
    }

    /// Submits jobs, and waits for their answers in the background.
    pub fn submit(&self, jobs: &str) {
        let (mut command, sender) = (self.server.fleet(&["submit", jobs]), self.sender.clone());
        thread::spawn(move || {
            let output = command.stderr(Stdio::inherit()).output().unwrap();
            sender.send(("submit".to_owned(), String::from_utf8(output.stdout).unwrap()))
        });
    }

    /// Waits for something to happen, and notes it.
    pub fn hear(&mut self) {
        let (name, line) = self.lines.recv_timeout(SILENCE).expect("something happens");
        if name == "submit" {
            self.submitted = Some(line);
            return;
        }
        println!("{name}: {line}");
        // A worker may have said this before it was killed.
        if !self.processes.contains_key(&name) && line == "holds" {
            return;
        }
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ready"] => self.ready += 1,
            ["took", ..] => {}
            ["holds"] => drop(self.holding.insert(name)),
            ["answered", session, call] => {
                let turn = Turn { session: session.to_owned(), call: call.parse().unwrap() };
                let before = self.answered.insert(turn, name);
                assert_eq!(before, None, "{line} twice");
            }
            ["was", "late", "for", ..] => self.late.push(name),
            _ => panic!("{name} says {line}"),
        }
    }

    /// Waits until something is so.
    pub fn hear_until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            self.hear();
        }
    }

    pub fn answered_by(&self, name: &str) -> usize {
        self.answered.values().filter(|other| *other == name).count()
    }

    /// Lets a worker that holds go on with its call.
    pub fn go(&mut self, name: &str) {
        assert!(self.holding.remove(name));
        self.processes.get_mut(name).unwrap().stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Kills a worker, which cannot do anything about it.
    pub fn kill(&mut self, name: &str) {
        println!("{name} is killed");
        self.holding.remove(name);
        let mut process = self.processes.remove(name).unwrap();
        process.kill().and_then(|()| process.wait()).unwrap();
    }

    /// Sends a worker the signal `STOP` or `CONT`.
    pub fn signal(&self, name: &str, signal: &str) {
        println!("{name} gets {signal}");
        let id = self.processes[name].id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }
}

impl Drop for Workers<'_> {
    fn drop(&mut self) {
        for process in self.processes.values_mut() {
            let _ = process.kill().and_then(|()| process.wait());
        }
    }
}
