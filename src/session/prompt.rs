//! Statements that are evaluated one after another, as a prompt asks for them.

use super::Session;
use super::mailbox::Request;
use crate::error::Error;
use crate::value::Value;

impl Session {
    /// Evaluates more statements, as if they stood at the end of the script: they see its variables, and set them. Returns the
    /// value of the last statement; [`Value::None`] if that is not an expression. `name` is for messages.
    ///
    /// ```
    /// let mut session = wasmlark::Sandbox::new().load("main.star", "x = 1")?;
    /// session.eval("<console>", "x += 41")?;
    /// assert_eq!(session.eval("<console>", "x")?.as_i64(), Some(42));
    /// assert!(session.eval("<console>", "y").is_err());
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a statement fails, or a limit ends it. What the ones before it did stays. `exit` is an error here with any code,
    /// 0 among them.
    pub fn eval(&mut self, name: &str, text: &str) -> Result<Value, Error> {
        self.value(Request::Eval { name: name.to_owned(), text: text.to_owned() })
    }

    /// Returns the names that a statement can begin with: the script's variables, and the language's own names. Or, if
    /// `path` is one such as `instance.exports`, the attributes of its value; none if it has no value. It is for completion at
    /// a prompt, and calls nothing.
    ///
    /// ```
    /// let mut session = wasmlark::Sandbox::new().load("main.star", "memory = wasm.Memory(1)")?;
    /// assert!(session.names(None).contains(&"memory".to_owned()));
    /// assert!(session.names(Some("memory")).contains(&"read_string".to_owned()));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn names(&mut self, path: Option<&str>) -> Vec<String> {
        let names = self.value(Request::Names { path: path.map(str::to_owned) }).unwrap_or_default();
        let names = names.as_slice().unwrap_or_default().iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    }

    /// Returns where the name begins that ends at the byte `end` of a line, and what it may become: names that
    /// [`names`](Self::names) returns, and keywords, sorted.
    ///
    /// ```
    /// let mut session = wasmlark::Sandbox::new().load("main.star", "memory = wasm.Memory(1)")?;
    /// assert_eq!(session.complete("x = memory.gr", 13), (11, vec!["grow".to_owned()]));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn complete(&mut self, line: &str, end: usize) -> (usize, Vec<String>) {
        crate::lang::complete(line, end, |path| self.names(path))
    }

    /// Tells whether a text ends within a statement, and more lines can make it whole: with an open bracket, an open string
    /// of several lines, or a header such as `def f():`.
    ///
    /// ```
    /// use wasmlark::Session;
    ///
    /// assert!(Session::is_incomplete("f(1,") && Session::is_incomplete("for x in y:"));
    /// assert!(!Session::is_incomplete("f(1)") && !Session::is_incomplete("f(1))"));
    /// ```
    pub fn is_incomplete(text: &str) -> bool {
        crate::lang::is_incomplete(text)
    }
}
