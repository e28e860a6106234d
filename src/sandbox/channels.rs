//! What a script reads from standard input, and where what it writes goes.

use std::sync::Arc;

use super::Sandbox;
use crate::progress::Progress;
use crate::session::Stats;

impl Sandbox {
    /// Sets standard input, which each run gets from its beginning. Without it, a script that asks for it fails.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new().stdin("one two");
    /// assert_eq!(sandbox.run("main.star", "len(stdin())")?.value.as_i64(), Some(7));
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn stdin(self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.stdin_from(move || Ok(bytes.clone()))
    }

    /// Sets where standard input comes from: `read` returns all of it, or a message. It is called when a script asks for it,
    /// once for a run.
    pub fn stdin_from(mut self, read: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static) -> Self {
        self.channels.stdin = Some(Arc::new(read));
        self
    }

    /// Sets whether scripts may write files, which [`Run::files`](crate::Run::files) then has; by default they may not. The limit `files`
    /// says how much.
    ///
    /// ```
    /// use wasmlark::Sandbox;
    ///
    /// let sandbox = Sandbox::new().writable(true);
    /// let run = sandbox.run("main.star", "write_file('out/a.bin', b'\\x00\\xff')")?;
    /// assert_eq!(run.files["out/a.bin"], [0, 255]);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn writable(mut self, is_writable: bool) -> Self {
        self.channels.is_writable = is_writable;
        self
    }

    /// Takes what scripts print and write to standard output, at once, as text: each printed line with its line feed; of what
    /// `write` writes, what is not UTF-8 is replaced. The limit `output` holds all the same.
    pub fn on_print(self, print: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_write(move |bytes| print(&String::from_utf8_lossy(bytes)))
    }

    /// Takes what scripts print and write to standard output, at once, as bytes, in place of a function that was set
    /// before. The limit `output` holds all the same.
    pub fn on_write(mut self, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.channels.output = Some(Arc::new(write));
        self
    }

    /// Takes what scripts write to standard error, at once. It counts against the limit `output` as well.
    pub fn on_write_error(mut self, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        self.channels.error_output = Some(Arc::new(write));
        self
    }

    /// Takes what a run has spent, while it runs: about every 1000 ticks, and, where the sandbox is
    /// [`interruptible`](Self::interruptible) or isolated, every 100,000 units of a guest's fuel. The numbers never fall
    /// within a session, and may be behind what is spent; [`Run::stats`](crate::Run::stats) is exact.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::sync::Arc;
    /// use wasmlark::Sandbox;
    ///
    /// let seen = Arc::new(AtomicU64::new(0));
    /// let ticks = seen.clone();
    /// let sandbox = Sandbox::new().on_progress(move |spent| ticks.store(spent.ticks, Ordering::Relaxed));
    /// let run = sandbox.run("main.star", "def f():\n    for _ in range(10000): pass\nf()")?;
    /// let seen = seen.load(Ordering::Relaxed);
    /// assert!(seen > 8000 && seen <= run.stats.ticks);
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    pub fn on_progress(mut self, progress: impl Fn(&Stats) + Send + Sync + 'static) -> Self {
        self.channels.progress =
            Progress::new(move |fuel, ticks, memory_peak| progress(&Stats { fuel, ticks, memory_peak, cost: None }));
        self
    }
}
