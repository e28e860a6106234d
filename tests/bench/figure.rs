use std::cell::RefCell;
use std::time::Duration;

use crate::harness::figure::{Measurement, Outcome, parse_outcome, show_outcome};
use crate::harness::{Effort, Figure, Goal, Unit};

const fn measured(ours: f64, theirs: f64) -> Measurement {
    Measurement { ours, theirs }
}

/// Returns a figure with two processes and the goal "at most 1.5".
fn figure() -> Figure {
    let effort = Effort::LONG.processes(2);
    Figure::ratio("name", "the other side", Goal::AtMost(1.5), effort, 1, |_, _| Ok(()))
}

/// Measures with the outcomes given, and also returns the indices of the processes.
fn measure(runs: usize, outcomes: &[Outcome]) -> (Outcome, Vec<usize>) {
    let processes = RefCell::new(Vec::new());
    let outcome = figure().measure_with(runs, |process| {
        let mut processes = processes.borrow_mut();
        processes.push(process);
        outcomes[processes.len() - 1].clone()
    });
    (outcome, processes.into_inner())
}

#[test]
fn the_best_of_each_side_counts() {
    let outcomes = [Ok(measured(12.0, 10.0)), Ok(measured(11.0, 20.0))];
    assert_eq!(measure(3, &outcomes), (Ok(measured(11.0, 10.0)), vec![0, 1]));
}

#[test]
fn a_figure_that_misses_its_goal_is_measured_again() {
    let miss = Ok(measured(20.0, 10.0));
    let outcomes = [miss.clone(), miss.clone(), miss.clone(), Ok(measured(14.0, 10.0)), miss.clone()];
    assert_eq!(measure(9, &outcomes), (Ok(measured(14.0, 10.0)), vec![0, 1, 0, 1]));
    assert_eq!(measure(1, &outcomes), (Ok(measured(20.0, 10.0)), vec![0, 1]));
}

#[test]
fn a_figure_is_skipped_where_a_process_cannot_measure_it() {
    let skipped = Err("no module".to_owned());
    assert_eq!(measure(3, std::slice::from_ref(&skipped)), (skipped.clone(), vec![0]));
    assert_eq!(measure(3, &[Ok(measured(1.0, 1.0)), skipped.clone()]), (skipped, vec![0, 1]));
}

#[test]
fn goals_are_met_at_their_bounds() {
    for goal in [Goal::AtMost(1.25), Goal::Stretch(1.25)] {
        assert_eq!([1.0, 1.25, 1.2501].map(|figure| goal.is_met(figure)), [true, true, false]);
        // A measurement that went wrong is not a success.
        assert!(!goal.is_met(f64::NAN));
    }
    assert!(Goal::AtMost(1.0).is_judged());
    assert!(!Goal::Stretch(1.0).is_judged());
}

#[test]
fn a_process_hands_its_outcome_on() {
    for outcome in [Ok(measured(0.1, 12345.678)), Err("no doom.wasm: fetch it: now".to_owned())] {
        assert_eq!(parse_outcome(&format!("{}\n", show_outcome(&outcome))), Some(outcome));
    }
    for line in ["", "measured: 1", "measured: 1 x", "1 2", "thread panicked: at"] {
        assert_eq!(parse_outcome(line), None, "{line}");
    }
}

#[test]
fn samples_are_for_the_work_of_one_figure() {
    let effort = Effort::LONG.rounds(4);
    let figure = Figure::ratio("name", "the other side", Goal::AtMost(2.0), effort, 10, |effort, samples| {
        let (ours, theirs) = (Duration::from_nanos(300), Duration::from_nanos(200));
        samples.alternate(effort, &mut |_| ours, &mut |_| theirs);
        Ok(())
    });
    let outcome = figure.sample();
    assert_eq!(outcome, Ok(measured(30.0, 20.0)));
    assert_eq!(outcome.unwrap().figure(), 1.5);
    let amount = Figure::amount("name", "nothing", Goal::AtMost(2.0), Unit::Kibibytes, || 1.5);
    assert_eq!(amount.sample(), Ok(measured(1.5, 1.0)));
}

#[test]
fn every_figure_has_a_name_of_its_own() {
    let mut names: Vec<String> = crate::figures::all().into_iter().map(|figure| figure.name).collect();
    let count = names.len();
    assert!(count > 80, "{count} figures");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
