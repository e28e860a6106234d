//! What can be said of a script without running it.

use super::Sandbox;
use crate::check::{self, Completion, Definition, Diagnostic};

impl Sandbox {
    /// Checks a script without running it: syntax, names, types, and lints. Empty for a script that has no fault.
    ///
    /// Types of the `wasm` namespace are known; the exports of a module are not. Imports that `wasm.instantiate` is given are
    /// held against those of the module, where both stand in the text. Files that the script loads are read, and must be
    /// there.
    ///
    /// ```
    /// use wasmlark::{Sandbox, Severity};
    ///
    /// let script = "memory = wasm.Memory(1)\nmemory.raed(0, 4)";
    /// let [problem] = &Sandbox::new().check("main.star", script)[..] else { panic!() };
    /// assert_eq!(problem.severity, Severity::Error);
    /// assert_eq!((problem.location.line, problem.location.column), (2, 8));
    /// ```
    pub fn check(&self, name: &str, script: &str) -> Vec<Diagnostic> {
        check::check(&self.granting_engine(), name, script)
    }

    /// Returns where the name at a place of a script is defined, without running it: in the script, or in a file that it
    /// loads. Line and column are in characters, from 1; the place right after a name belongs to it. `None` where no name
    /// is, for one that the script does not bind itself, such as `wasm`, and for a script that does not parse.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.write(0, b'')";
    /// let found = wasmlark::Sandbox::new().definition("main.star", script, 2, 3).unwrap();
    /// assert_eq!((found.location.line, found.location.column, found.end.column), (1, 1, 7));
    /// assert_eq!(found.made_by.as_deref(), Some("wasm.Memory"));
    /// ```
    pub fn definition(&self, name: &str, script: &str, line: usize, column: usize) -> Option<Definition> {
        check::definition(&self.granting_engine(), name, script, line, column)
    }

    /// Returns the names that a script itself binds and that are visible at a place, sorted: those of the file, and of the
    /// functions and comprehensions around the place. None for a script that does not parse. Line and column are in
    /// characters, from 1.
    ///
    /// ```
    /// let script = "def f(x):\n    return x\ny = f(1)";
    /// let sandbox = wasmlark::Sandbox::new();
    /// assert_eq!(sandbox.visible_names("main.star", script, 2, 12), ["f", "x", "y"]);
    /// assert_eq!(sandbox.visible_names("main.star", script, 3, 5), ["f", "y"]);
    /// ```
    pub fn visible_names(&self, name: &str, script: &str, line: usize, column: usize) -> Vec<String> {
        check::visible(&self.granting_engine(), name, script, line, column)
    }

    /// Returns the names that may stand at a place of a script, sorted: what begins as the name before the place does. They
    /// are names of the script and of the language, or behind a dot the attributes of what stands before it, as far as its
    /// type is known. Line and column are in characters, from 1. The line itself need not parse.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.gr";
    /// let [found] = &wasmlark::Sandbox::new().completions("main.star", script, 2, 10)[..] else { panic!() };
    /// assert_eq!((found.name.as_str(), found.is_member), ("grow", true));
    /// ```
    pub fn completions(&self, name: &str, script: &str, line: usize, column: usize) -> Vec<Completion> {
        check::completions(&self.granting_engine(), name, script, line, column)
    }

    /// Returns what is to be read of the name at a place of a script, as Markdown: from the reference, or the signature and
    /// the docstring of a function of the script. `None` where nothing is known. Line and column are in characters, from 1.
    ///
    /// ```
    /// let script = "memory = wasm.Memory(1)\nmemory.grow(1)";
    /// let found = wasmlark::Sandbox::new().description("main.star", script, 2, 9).unwrap();
    /// assert!(found.contains("wasm.Memory.grow"));
    /// ```
    pub fn description(&self, name: &str, script: &str, line: usize, column: usize) -> Option<String> {
        check::description(&self.granting_engine(), name, script, line, column)
    }
}
