use crate::harness::figure::Measurement;
use crate::harness::options::Format;
use crate::harness::report::{Summary, line, time};
use crate::harness::{Goal, Unit};
use crate::{amount, ratio};

#[test]
fn lines() {
    let measured = |ours, theirs| Ok(Measurement { ours, theirs });
    let (met, missed) = (measured(110.0, 100.0), measured(2000.0, 1000.0));
    let judged = ratio("call bound ()", Goal::AtMost(1.25));
    assert_eq!(line(&judged, &met, Format::Lines), "call bound (): 1.10 (goal 1.25)");
    assert_eq!(
        line(&judged, &met, Format::Columns),
        "  call bound ()                                      1.10  goal 1.25     110 ns / 100 ns (the other side)"
    );
    assert_eq!(
        line(&judged, &missed, Format::Columns),
        "! call bound ()                                      2.00  goal 1.25     2.00 µs / 1.00 µs (the other side)"
    );
    let skipped = Err("not here".to_owned());
    assert_eq!(line(&judged, &skipped, Format::Columns), "call bound (): skipped: not here");
    let hoped = amount("startup", Goal::Stretch(10.0), Unit::Milliseconds);
    assert_eq!(line(&hoped, &measured(4.25, 1.0), Format::Lines), "startup: 4.2 ms (stretch 10.0 ms)");
}

#[test]
fn times_have_three_digits() {
    let shown = [0.5, 9.99, 9.996, 99.94, 99.96, 999.0, 1_000.0, 12_345.0, 2.5e6, 3e9].map(time);
    let want =
        ["0.50 ns", "9.99 ns", "10.0 ns", "99.9 ns", "100 ns", "999 ns", "1.00 µs", "12.3 µs", "2.50 ms", "3.00 s"];
    assert_eq!(shown, want);
}

#[test]
fn the_summary() {
    let measured = |ours| Ok(Measurement { ours, theirs: 1.0 });
    let mut summary = Summary::default();
    summary.add(Goal::AtMost(1.0), &measured(1.0));
    summary.add(Goal::AtMost(1.0), &measured(0.5));
    summary.add(Goal::AtMost(1.0), &measured(1.1));
    summary.add(Goal::AtMost(1.0), &Err("not here".to_owned()));
    summary.add(Goal::Stretch(1.0), &measured(1.1));
    assert_eq!(summary, Summary { passed: 2, failed: 1, skipped: 1, unjudged: 1 });
    assert_eq!(summary.total(), 5);
    // `.ci/run` reads this line.
    assert_eq!(summary.to_string(), "bench: 2 passed, 1 failed, 1 skipped");
}
