//! What scripts print.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use starlark::PrintHandler;

use crate::error::{Error, Limit};

/// Takes printed lines.
pub(crate) type Print = dyn Fn(&str) + Send + Sync;

/// Passes lines on, or keeps them.
pub(super) struct Printer {
    sink: Option<Arc<Print>>,
    output: RefCell<String>,
    left: Cell<usize>,
    limit: usize,
}

/// What was printed and kept, and how many bytes may still be printed.
pub(super) struct Printed {
    output: String,
    left: usize,
}

impl Printer {
    /// `limit` is the number of bytes that may be printed, line feeds included.
    pub(super) fn new(sink: Option<Arc<Print>>, limit: usize) -> Self {
        Self { sink, output: RefCell::default(), left: Cell::new(limit), limit }
    }

    /// Goes on from what `other` printed.
    pub(super) fn continue_from(&self, other: &Printed) {
        self.output.replace(other.output.clone());
        self.left.set(other.left);
    }

    pub(super) fn printed(&self) -> Printed {
        Printed { output: self.output.borrow().clone(), left: self.left.get() }
    }

    /// Lets as much be printed again as the limit allows.
    pub(super) fn refill(&self) {
        self.left.set(self.limit);
    }

    pub(super) fn take_output(&self) -> String {
        self.output.take()
    }
}

impl PrintHandler for Printer {
    fn println(&self, text: &str) -> starlark::Result<()> {
        let needed = text.len().saturating_add(1);
        let Some(left) = self.left.get().checked_sub(needed) else {
            return Err(Error::limit(
                Limit::Output,
                format!("the script prints more than the sandbox takes: limit `output` is {} bytes", self.limit),
            )
            .into());
        };
        self.left.set(left);
        match &self.sink {
            Some(sink) => sink(&format!("{text}\n")),
            None => {
                let mut output = self.output.borrow_mut();
                output.push_str(text);
                output.push('\n');
            }
        }
        Ok(())
    }
}
