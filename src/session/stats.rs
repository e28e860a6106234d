//! What a script spent.

/// What a script spent. The same script with the same files and arguments spends the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stats {
    /// WebAssembly fuel; `None` where it is not metered.
    pub fuel: Option<u64>,
    /// Starlark ticks, including those of loaded files.
    pub ticks: u64,
    /// The most bytes of linear memory in use at once.
    pub memory_peak: u64,
    /// All instructions of the evaluator and of its guests; `None` where the sandbox is not [isolated](crate::Sandbox::isolated).
    pub cost: Option<u64>,
}
