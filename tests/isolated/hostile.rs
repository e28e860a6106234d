//! No script ends, aborts, panics or hangs its host: `tests/hostile/*.star`, all in this process.
//!
//! The first line of a script says how it must end: `# ends: limit heap`, the other kinds as `ErrorKind` has them, or
//! `# ends: well`. A second line may set limits, as in the tests of the language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use wasmlark::{Error, ErrorKind, Limits, Sandbox, Value};

use super::sandbox;

/// Where the second sandbox runs, its answers are right all the time.
#[test]
fn all_of_them_in_one_process_with_another_sandbox_beside_it() {
    let names = scripts();
    let is_over = AtomicBool::new(false);
    let rounds = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let neighbour = Sandbox::new();
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(
                    neighbour.run("main.star", "sum = 0\n[x * x for x in range(100)][-1]").unwrap().value,
                    9801.into()
                );
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
        let failures: Vec<String> = names.iter().filter_map(|path| judge(path)).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
    assert!(rounds.load(Ordering::Relaxed) > 10);
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 60, "{}", paths.len());
    paths
}

/// Set in the process that is measured.
const MEASURED: &str = "WASMLARK_TEST_MEASURED";

/// The scripts whose limits are those of `judge`, in a process that does nothing else.
#[test]
#[cfg(target_os = "linux")]
fn a_process_stays_within_its_limits_and_64_mib() {
    const LIMITS: u64 = (16 + 16 + 1 + 1) << 20;
    if std::env::var_os(MEASURED).is_some() {
        // What the evaluator's own code takes is part of the constant.
        assert!(sandbox().run("main.star", "1").is_ok());
        for path in scripts().iter().filter(|path| !fs::read_to_string(path).unwrap().contains("# limits:")) {
            judge(path);
        }
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        println!("peak of {} kB", peak.trim().trim_end_matches(" kB"));
        return;
    }
    let name = "hostile::a_process_stays_within_its_limits_and_64_mib";
    let mut measured = Command::new(std::env::current_exe().unwrap());
    // Otherwise glibc keeps what was freed, up to twice the largest block that was.
    measured.env(MEASURED, "1").env("MALLOC_MMAP_THRESHOLD_", "1048576");
    let output = measured.args([name, "--exact", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let peak = text.lines().find_map(|line| line.strip_prefix("peak of ")?.strip_suffix(" kB")?.parse::<u64>().ok());
    let peak = peak.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))) << 10;
    assert!(peak <= LIMITS + (64 << 20), "{} MiB", peak >> 20);
}

/// Returns what is wrong with how a script ended.
fn judge(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let wanted = text.lines().next().and_then(|line| line.strip_prefix("# ends: ")).expect(name);
    let settings = text.lines().nth(1).and_then(|line| line.strip_prefix("# limits: ")).unwrap_or_default();
    let mut limits = Limits::new().heap(16 << 20).memory(16 << 20).files(1 << 20).output(1 << 20).cost(3_000_000_000);
    for setting in settings.split_whitespace() {
        let (limit, value) = setting.split_once('=').expect(name);
        limits.set(limit, value).unwrap();
    }
    let sandbox = sandbox().limits(limits);
    let got = ending(sandbox.run(name, &text).map(|run| run.value));
    // What one script did is gone when the next one runs.
    let after = ending(sandbox.run("after.star", "1 + 1").map(|run| run.value));
    if wanted.split(" or ").any(|wanted| got.starts_with(wanted)) && after == "well" {
        return None;
    }
    Some(format!("{name}: wanted {wanted}, got {got}, and after that {after}"))
}

fn ending(result: Result<Value, Error>) -> String {
    match result {
        Ok(_) => "well".to_owned(),
        Err(error) => match error.kind() {
            ErrorKind::Limit(limit) => format!("limit {limit}: {}", error.message()),
            kind => format!("{}: {}", format!("{kind:?}").to_lowercase(), error.message()),
        },
    }
}

/// Each growth of the evaluator's memory is checked against it, whatever guests may hold besides.
#[test]
fn the_limit_on_the_heap_is_the_evaluators_alone() {
    let guest = "memory = wasm.Memory(1)\nfor _ in range(30): memory.grow(50)\nmemory.write_u8(98000000, 7)\n";
    let small = Limits::new().heap(16 << 20).memory(256 << 20);
    let mut sandbox = sandbox().limits(small.clone());
    // Starlark counts the list, but not the tree that the parser makes first.
    let large = format!("x = [{}]", "1,".repeat(1_000_000));
    sandbox.file("large.star", large.as_str());
    assert_eq!(ending(sandbox.run("main.star", guest).map(|run| run.value)), "well");
    let full = "limit heap: the sandbox's limit `heap` is reached: the evaluator gets no more memory";
    assert_eq!(ending(sandbox.run("main.star", &large).map(|run| run.value)), full);
    let both = format!("load('large.star', 'x')\n{guest}");
    assert_eq!(ending(sandbox.run("main.star", &both).map(|run| run.value)), full);
    let enough = sandbox.limits(small.heap(512 << 20));
    assert_eq!(ending(enough.run("main.star", &both).map(|run| run.value)), "well");
}

#[test]
fn what_ended_a_session_is_said_again() {
    let script = "def f():\n    x = 3\n    for _ in range(40): x = x * x\n    return x > 0";
    let mut session = sandbox().limits(Limits::new().cost(300_000_000)).load("main.star", script).unwrap();
    let error = session.call_values("f", &[]).unwrap_err();
    assert_eq!(error.message(), "the sandbox's limit `cost` is reached: 300000000");
    let error = session.call_values("f", &[]).unwrap_err();
    assert_eq!(error.message(), "the session has ended: a fault or a limit ended what ran in it");
    assert!(session.stats().cost.unwrap() <= 300_000_000);
}
