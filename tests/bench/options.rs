use crate::harness::options::{Format, Options, SAMPLE, is_wanted};

fn parse(args: &[&str]) -> Option<Options> {
    Options::parse(args.iter().map(|arg| (*arg).to_owned()))
}

#[test]
fn the_command_line() {
    let run = |words: &[&str], format, runs| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Some(Options::Run { words, format, runs })
    };
    assert_eq!(parse(&["--bench"]), run(&[], Format::Columns, 3));
    assert_eq!(parse(&["--lines", "--runs", "5", "call", "memory"]), run(&["call", "memory"], Format::Lines, 5));
    assert_eq!(parse(&["--table", "--bench"]), run(&[], Format::Table, 3));
    let sample = Options::Sample { process: 2, name: "call bound ()".to_owned() };
    assert_eq!(parse(&[SAMPLE, "2", "call bound ()"]), Some(sample));
}

#[test]
fn wrong_arguments_are_refused() {
    let wrong: [&[&str]; 7] = [
        &["--runs"],
        &["--runs", "0"],
        &["--runs", "x"],
        &["--fast"],
        &[SAMPLE, "1"],
        &[SAMPLE, "x", "y"],
        &["--table", "call"],
    ];
    for args in wrong {
        assert_eq!(parse(args), None, "{args:?}");
    }
}

#[test]
fn real_modules_must_be_named() {
    let is_wanted =
        |name: &str, words: &[&str]| is_wanted(name, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    assert!(is_wanted("call bound ()", &[]));
    assert!(!is_wanted("real doom", &[]));
    assert!(is_wanted("real doom", &["memory", "doom"]));
    assert!(!is_wanted("call bound ()", &["memory", "doom"]));
}
