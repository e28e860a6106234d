//! A loan as `session` makes it, but with no script around it: Miri runs it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use starlark::environment::Module;

use super::*;

/// Counts how often it was finished, where its owner can see it.
struct Counted<'a> {
    name: &'a str,
    finished: &'a Cell<u32>,
}

impl DirectCall for Counted<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn limits(&self) -> CallLimits {
        CallLimits::new()
    }

    fn arguments<'v>(&self, _: Heap<'v>, _: &mut MakeSet<'_, 'v>) -> starlark::Result<Arguments<'v, 'v>> {
        Ok(Arguments { positional: Vec::new(), named: Vec::new() })
    }

    fn finish<'v>(&self, _: Value<'v>, _: Heap<'v>) -> Result<(), Error> {
        self.finished.set(self.finished.get() + 1);
        Ok(())
    }
}

fn finish(lent: &Lent) -> Option<String> {
    Module::with_temp_heap(|module| {
        lent.with(|call| {
            call.finish(Value::new_none(), module.heap()).unwrap();
            call.name().to_owned()
        })
    })
}

#[test]
fn a_loan_ends_with_the_work() {
    let (lent, finished) = (Lent::default(), Cell::new(0));
    assert_eq!(finish(&lent), None);
    for round in 1..3 {
        let name = format!("round {round}");
        let call = Counted { name: &name, finished: &finished };
        let seen = lent.lend(&call, || [finish(&lent), finish(&lent)]);
        assert_eq!(seen, [Some(name.clone()), Some(name)]);
        assert_eq!(finished.get(), round * 2);
        assert_eq!(finish(&lent), None);
    }
}

#[test]
fn a_loan_ends_with_a_panic() {
    let (lent, finished) = (Lent::default(), Cell::new(0));
    let call = Counted { name: "one", finished: &finished };
    let panic = catch_unwind(AssertUnwindSafe(|| {
        lent.lend(&call, || {
            assert!(finish(&lent).is_some());
            panic!("in the work")
        })
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"in the work"));
    assert_eq!((finish(&lent), finished.get()), (None, 1));
}
