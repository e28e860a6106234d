//! The table of limits: everything about a limit is generated from its row.

use std::fmt;

/// Passes the table to a macro.
///
/// A row gives the setter with its argument's type, the variant with its number, the type of the value, the default,
/// the minimum, the unit, and whether the limit applies to a [`WasiCommand`](crate::WasiCommand). The number is the
/// limit's constant in C: it never changes and is never reused. The first line of the documentation is the summary,
/// which is all that tables and the command line's short help show.
macro_rules! for_each_limit {
    ($run:ident) => {
        $run! {
            /// WebAssembly fuel for the whole evaluation: one unit for most instructions.
            ///
            /// Instructions are charged where the enclosing function, loop or arm of an `if` begins, even if a branch
            /// then skips them. In a function with a `br_table`, code that a branch may skip is charged separately if
            /// it has more than some thirty instructions. Copying, filling and growing cost one more unit for each 64
            /// bytes. The default is enough for some fifteen seconds to two minutes of most code. Without this limit,
            /// code runs faster, and an endless loop in a module never ends.
            fuel(impl Into<Option<u64>>) Fuel = 0:
                Option<u64>, default Some(100_000_000_000), minimum 0, Fuel, command true;
            /// Bytes of all linear memories together.
            memory(u64) Memory = 1:
                u64, default 1 << 30, minimum 0, Bytes, command true;
            /// Elements of all tables together.
            table_elements(u64) TableElements = 2:
                u64, default 10_000_000, minimum 0, Elements, command true;
            /// Instances and stores that exist at one time.
            ///
            /// Closing a store frees its instances.
            instances(usize) Instances = 3:
                usize, default 100_000, minimum 0, Instances, command false;
            /// Depth of nested WebAssembly calls.
            ///
            /// A deeper call traps with `stack-overflow`. A level may use 1 KiB of value stack on average.
            stack_depth(usize) StackDepth = 4:
                usize, default 8_192, minimum 64, Calls, command true;
            /// Starlark ticks: one for each function call and each round of a loop.
            ///
            /// A call from WebAssembly counts too. A limit below ten thousand is exact. A larger one is exceeded by at
            /// most a thousand ticks, and any limit by as many for each file that spends ticks before it loads another.
            ticks(u64) Ticks = 5:
                u64, default 1_000_000_000, minimum 1, Ticks, command false;
            /// Bytes of the Starlark heap.
            ///
            /// Checked as often as ticks are. Bytes copied out of memories may take as much again, and so may the code
            /// of all modules, which counts as about eight times their bytes. An isolated evaluator may take this much and
            /// 32 MiB, beside what files hold, and each of its allocations is checked. The code of its guests is not in it.
            heap(usize) Heap = 6:
                usize, default 1 << 30, minimum 1, Bytes, command true;
            /// Depth of nested Starlark calls, including calls into WebAssembly and back.
            ///
            /// A level needs a few KiB of native stack.
            call_depth(usize) CallDepth = 7:
                usize, default 200, minimum 1, Calls, command false;
            /// Bytes that a script may print, or write to standard output and error.
            ///
            /// The standard output and error kept for all WASI guests together may take as much again.
            output(usize) Output = 8:
                usize, default 64 << 20, minimum 0, Bytes, command true;
            /// Bytes of the files of all WASI machines together.
            ///
            /// A file, directory or link counts some 400 bytes more than its content. Standard input counts too. A file
            /// of `wasmlark wasi --dir` counts its content only once the guest has changed it. A guest that reaches the
            /// limit gets `ENOSPC`. The files that the script itself writes, and its own standard input, may take as
            /// much again.
            files(u64) Files = 9:
                u64, default 256 << 20, minimum 0, Bytes, command true;
            /// Depth of a script's source: brackets, blocks, and operators in a row.
            ///
            /// Deeper source would overflow the parser's native stack. For the default, 1 MiB of stack is enough in
            /// any build.
            nesting(usize) Nesting = 10:
                usize, default 200, minimum 0, Levels, command false;
            /// Cost of an isolated run: all instructions of the evaluator and of its guests.
            ///
            /// Only an isolated sandbox counts it. There, nothing that a script does is free: parsing, sorting and the
            /// arithmetic of large ints count as much as a loop. A unit of a guest's fuel is one unit of cost, too. Compiling
            /// a module costs 40 units for each byte, and each crossing between the script and a guest some hundred units.
            /// The default is enough for some minutes of a script, and for as much of a guest as that of `fuel`.
            cost(impl Into<Option<u64>>) Cost = 11:
                Option<u64>, default Some(100_000_000_000), minimum 0, Cost, command false;
        }
    };
}
pub(crate) use for_each_limit;

macro_rules! define_limit {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($argument:ty) $variant:ident = $number:literal:
            $ty:ty, default $default:expr, minimum $minimum:literal, $unit:ident, command $command:literal;
    )+) => {
        /// A limit of a sandbox; its value is in [`Limits`](crate::Limits).
        ///
        /// As an integer, it is the limit's constant in the C interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "wire", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Limit {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        impl Limit {
            /// All limits, in the order of their documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the row of the table.
            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        name: stringify!($name),
                        doc: &[$($doc),+],
                        minimum: $minimum,
                        unit: LimitUnit::$unit,
                        command: $command,
                    },)+
                }
            }
        }
    };
}
for_each_limit!(define_limit);

/// What the table says about a limit, apart from its type and default.
struct Row {
    name: &'static str,
    doc: &'static [&'static str],
    minimum: u64,
    unit: LimitUnit,
    command: bool,
}

impl Limit {
    /// Returns the limit's name, which is that of the method of [`Limits`](crate::Limits) that sets it.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Returns what the limit counts.
    pub const fn unit(self) -> LimitUnit {
        self.row().unit
    }

    /// Returns the minimum value of the limit. A smaller value is raised to it.
    pub const fn minimum(self) -> u64 {
        self.row().minimum
    }

    /// Returns whether the limit applies to a [`WasiCommand`](crate::WasiCommand), which runs no script.
    pub const fn applies_to_commands(self) -> bool {
        self.row().command
    }

    /// Returns one sentence that says what is limited.
    pub fn summary(self) -> &'static str {
        self.row().doc.first().copied().unwrap_or_default().trim()
    }

    /// Returns the documentation, as paragraphs of text in Markdown that begin with the [`summary`](Self::summary).
    pub fn doc(self) -> String {
        let lines: Vec<&str> = self.row().doc.iter().map(|line| line.trim()).collect();
        lines.join("\n")
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a [`Limit`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitUnit {
    /// Units of WebAssembly fuel.
    Fuel,
    /// Bytes.
    Bytes,
    /// Elements of tables.
    Elements,
    /// Instances and stores.
    Instances,
    /// Nested calls.
    Calls,
    /// Starlark ticks.
    Ticks,
    /// Levels of nested source.
    Levels,
    /// Units of the cost of an isolated run.
    Cost,
}

impl LimitUnit {
    /// Returns the unit's name, in the plural.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fuel => "units of fuel",
            Self::Bytes => "bytes",
            Self::Elements => "elements",
            Self::Instances => "instances",
            Self::Calls => "calls",
            Self::Ticks => "ticks",
            Self::Levels => "levels",
            Self::Cost => "units of cost",
        }
    }
}

impl fmt::Display for LimitUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
