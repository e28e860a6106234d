use std::cell::RefCell;
use std::time::Duration;

use crate::harness::Effort;
use crate::harness::samples::{Samples, lower_decile, times};

#[test]
fn the_lower_decile() {
    assert_eq!(lower_decile(&[3.0]), 3.0);
    assert_eq!(lower_decile(&[3.0, 1.0, 2.0]), 1.0);
    let samples: Vec<f64> = (0..40).rev().map(f64::from).collect();
    assert_eq!(lower_decile(&samples), 4.0);
    // Neither one lucky sample nor disturbed ones change it.
    let disturbed: Vec<f64> =
        (0..40).map(|index| [0.0, 5.0, 5.0, 900.0][if index == 0 { 0 } else { 1 + index % 3 }]).collect();
    assert_eq!(lower_decile(&disturbed), 5.0);
}

#[test]
#[should_panic(expected = "has samples")]
fn a_figure_without_samples_is_a_mistake() {
    lower_decile(&[]);
}

#[test]
fn both_sides_take_turns_and_are_first_equally_often() {
    let order = RefCell::new(String::new());
    let side = |name: char, nanoseconds: u64| {
        let order = &order;
        move |times: u64| {
            assert_eq!(times, 1);
            order.borrow_mut().push(name);
            Duration::from_nanos(nanoseconds)
        }
    };
    let mut samples = Samples::default();
    samples.alternate(Effort::LONG.rounds(4), &mut side('o', 30), &mut side('t', 20));
    assert_eq!(order.into_inner(), "ottootto");
    assert_eq!((samples.ours(), samples.theirs()), (30.0, 20.0));
}

#[test]
fn a_slice_is_filled_and_divided_by_its_work() {
    let effort = Effort { slice: Duration::from_micros(10), rounds: 2, processes: 1 };
    let mut samples = Samples::default();
    samples.alternate(effort, &mut |n| Duration::from_nanos(7 * n), &mut |n| Duration::from_nanos(5 * n + 100));
    assert_eq!(samples.ours(), 7.0);
    assert!((5.0..5.1).contains(&samples.theirs()), "{}", samples.theirs());
}

#[test]
fn the_work_that_fills_a_slice_is_found() {
    let slice = Duration::from_micros(250);
    let mut calls = 0;
    let count = times(slice, &mut |n| {
        calls += 1;
        Duration::from_nanos(50 * n)
    });
    assert!((5_000..6_500).contains(&count), "{count}");
    assert!(calls < 10, "{calls} calls");
    // Work that takes longer is done once, and so is all work if there is no slice to fill.
    assert_eq!(times(slice, &mut |_| Duration::from_secs(1)), 1);
    assert_eq!(times(Duration::ZERO, &mut |_| panic!("not to be called")), 1);
    // Work that takes no time at all also ends.
    assert!(times(slice, &mut |_| Duration::ZERO) >= 1 << 32);
}
