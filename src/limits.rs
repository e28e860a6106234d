//! What a script may spend.

/// What a script and its modules may spend. Each value is safe by default; each error that a limit
/// causes names the limit and its value.
///
/// A [`Sandbox`](crate::Sandbox) holds to all of them. For an evaluator of an application's own,
/// [`Engine::attach`](crate::Engine::attach) sets those on WebAssembly, and
/// [`Engine::configure`](crate::Engine::configure) `ticks`, `heap` and `call_depth`; `output` and `nesting`
/// are the sandbox's alone.
///
/// ```
/// use wasmlark::{ErrorKind, Limit, Limits, Sandbox};
///
/// let limits = Limits::new().ticks(10_000).memory(1 << 20);
/// let endless = "def f():\n    for i in range(1000000000): pass\nf()";
/// let error = Sandbox::new().limits(limits).run("main.star", endless).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub(crate) fuel: Option<u64>,
    pub(crate) memory: u64,
    pub(crate) table_elements: u64,
    pub(crate) instances: usize,
    pub(crate) stack_depth: usize,
    pub(crate) ticks: u64,
    pub(crate) heap: usize,
    pub(crate) call_depth: usize,
    pub(crate) output: usize,
    pub(crate) files: u64,
    pub(crate) nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: Some(100_000_000_000),
            memory: 1 << 30,
            table_elements: 10_000_000,
            instances: 100_000,
            stack_depth: 8_192,
            ticks: 1_000_000_000,
            heap: 1 << 30,
            call_depth: 200,
            output: 64 << 20,
            files: 256 << 20,
            nesting: 200,
        }
    }
}

impl Limits {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// WebAssembly fuel for the whole evaluation, in wasmi's units: about one per instruction, and
    /// one per 64 bytes copied or grown. Default 10¹¹: some fifteen seconds to
    /// two minutes of work. `None` turns metering off:
    /// code runs faster, and an endless loop in a module runs for ever.
    pub fn fuel(mut self, fuel: impl Into<Option<u64>>) -> Self {
        self.fuel = fuel.into();
        self
    }

    /// Bytes of all linear memories together. Default 1 GiB.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Elements of all tables together. Default 10,000,000.
    pub fn table_elements(mut self, elements: u64) -> Self {
        self.table_elements = elements;
        self
    }

    /// Instances and stores made in an evaluation and not yet freed. Default 100,000.
    pub fn instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }

    /// Nesting of WebAssembly calls; deeper is the trap `stack-overflow`. Each level may use 1 KiB
    /// of value stack on average. Default 8,192, at least 64.
    pub fn stack_depth(mut self, calls: usize) -> Self {
        self.stack_depth = calls.max(64);
        self
    }

    /// Starlark ticks: one for each function call and each round of a loop. Checked every thousand
    /// or so. Default 10⁹.
    pub fn ticks(mut self, ticks: u64) -> Self {
        self.ticks = ticks.max(1);
        self
    }

    /// Bytes of the Starlark heap; checked as often as ticks are. Each by itself, what was copied out of memories, and
    /// the code of all modules, at about eight times their bytes, may take as much. Default 1 GiB.
    pub fn heap(mut self, bytes: usize) -> Self {
        self.heap = bytes.max(1);
        self
    }

    /// Starlark calls nested in each other, calls into WebAssembly and back among them. Default 200;
    /// a level needs a few KiB of native stack.
    pub fn call_depth(mut self, calls: usize) -> Self {
        self.call_depth = calls.max(1);
        self
    }

    /// Bytes that `print` may produce in a [`Sandbox`](crate::Sandbox), and, counted apart, bytes of
    /// standard output and error that are kept of all WASI guests together. Default 64 MiB.
    pub fn output(mut self, bytes: usize) -> Self {
        self.output = bytes;
        self
    }

    /// Bytes of the files of all WASI machines together, with some 400 for each file, directory and
    /// link, and of their standard inputs. A guest that is at the limit gets `ENOSPC`. Default 256 MiB.
    pub fn files(mut self, bytes: u64) -> Self {
        self.files = bytes;
        self
    }

    /// Nesting of a script's source: brackets, blocks, and operators in a row. Deeper text would
    /// overflow the parser's native stack. Default 200, for which 1 MiB of stack is enough in any build.
    pub fn nesting(mut self, levels: usize) -> Self {
        self.nesting = levels;
        self
    }
}
