//! The harness itself: seeds can be repeated, and known faults are found.

use std::path::Path;
use std::process::Command;

use wasmlark_differential::case::{Case, Generator};
use wasmlark_differential::compare::{Outcome, compare};
use wasmlark_differential::engine::{Ours, Wasmtime};

#[test]
fn a_seed_repeats_its_module() {
    for seed in 0..200 {
        let (Ok(one), Ok(other)) = (Case::generate(Generator::Both, seed), Case::generate(Generator::Both, seed))
        else {
            continue;
        };
        assert!(one.bytes == other.bytes, "seed {seed}");
    }
}

#[test]
fn modules_of_our_own_are_valid() {
    for seed in 0..500 {
        let case = Case::generate(Generator::Shapes, seed).expect("they are generated");
        let mut validator = wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all());
        if let Err(error) = validator.validate_all(&case.bytes) {
            panic!("seed {seed}: {error}");
        }
    }
}

#[test]
fn another_host_is_a_difference() {
    let (other, wasmtime) = (Ours { salt: 1 }, Wasmtime::default());
    let found = (0..100).any(|seed| {
        let case = Case::generate(Generator::Shapes, seed).expect("they are generated");
        matches!(compare(&other, &wasmtime, &case).outcome, Outcome::Differs { .. })
    });
    assert!(found);
}

/// Runs the command, and returns what it prints and whether it succeeded.
fn run(args: &[&str]) -> (String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_wasmlark-differential")).args(args).output().expect("it runs");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

#[test]
fn wasmi_as_it_is_differs_soon() {
    let (printed, content) = run(&["--raw", "--generator", "shapes", "--seed", "0", "--modules", "300"]);
    assert!(!content && printed.contains("differs: "), "{printed}");
}

/// Runs a file of `tests/faults` in wasmi as it is, and after rewriting.
fn fault(name: &str, class: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(name);
    let file = file.to_str().expect("the path is text");
    let (printed, content) = run(&["--raw", "--file", file, "--seed", "1", "--modules", "1"]);
    assert!(!content && printed.contains(class), "{printed}");
    let (printed, content) = run(&["--file", file, "--seed", "1", "--modules", "1"]);
    assert!(content && printed.ends_with("differential: 1 passed, 0 failed, 0 skipped\n"), "{printed}");
}

macro_rules! faults {
    ($($name:ident, $file:literal, $class:literal;)*) => {
        $(#[test] fn $name() { fault($file, $class); })*
    };
}

// The known faults of wasmi 2.0.0.
faults! {
    a_select_by_a_comparison_with_zero, "select-zero.wat", "results";
    a_local_below_a_block_with_parameters, "block-params.wat", "results";
    a_tail_call_of_the_host, "tail-call-host.wat", "crash: signal 11";
    a_maximum_that_cannot_be, "memory-maximum.wat", "panic";
    a_br_table_with_values, "br-table.wat", "results";
    a_store_of_a_local_to_itself, "store-to-itself.wat", "panic";
    a_memory_that_is_imported_twice, "aliased-memory.wat", "differs: 1";
}
