//! The command line, as plain data.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::limits::{CommandLimits, CostLimit, ScriptLimits, SessionCostLimit};

/// What decides what a script computes. A test holds the numbers against Cargo.lock.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (starlark 0.14.3, wasmi 2.0.0)");

#[derive(Parser)]
#[command(name = "wasmlark", version = VERSION, about = "Starlark scripts that load, link and call WebAssembly modules")]
#[command(
    after_help = "Exit status: 0 for success, 1 if the script failed, 2 for usage, 3 if a limit or the timeout ended it, 130 after Ctrl-C."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand)]
pub enum Action {
    /// Run a script
    Run(RunArguments),
    /// Evaluate statements as they are typed
    Repl(ReplArguments),
    /// Call a function that a module exports
    Call(CallArguments),
    /// Check scripts without running them: syntax, names, types, and lints
    Check(CheckArguments),
    /// Run the tests in files whose names end in `_test.star` or `_chunks.star`
    Test(TestArguments),
    /// Show a module's imports and exports, in the form in which a script calls them
    Inspect(InspectArguments),
    /// Print the reference of the script API, in Markdown
    Doc(DocArguments),
    /// Run a command module built for WASI, on a machine in memory
    Wasi(WasiArguments),
    /// Serve editors, by the language server protocol
    Lsp(LspArguments),
    /// Print a script that completes this command in a shell
    Completions(CompletionsArguments),
    /// Print the manual page, in roff
    Man,
}

// What is kept of guests, in each command that runs them. (A comment of a flattened struct that documents it would become the
// description of the command.)
#[derive(Args)]
pub struct GuestOptions {
    /// Name the guest's functions in the report of a trap; guests then spend about a third more fuel, and take up to twice the time
    #[arg(long)]
    pub backtrace: bool,
    /// Write what the fuel was spent on, by functions of both languages: folded stacks, or a flame graph if FILE ends in `.svg`
    #[arg(long, value_name = "FILE", conflicts_with = "backtrace")]
    pub profile: Option<std::path::PathBuf>,
}

// What one run tells of itself.
#[derive(Args)]
pub struct RecordOptions {
    /// Print what was spent, such as fuel and peak memory, to stderr at the end, as one line of JSON
    #[arg(long)]
    pub stats: bool,
    /// Write each call between script, guest and host to FILE, as it begins and ends, as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub trace: Option<std::path::PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples: wasmlark run script.star in.txt     wasmlark run -e '6 * 7'\n          \
    wasmlark run --out frames draw.star < scene.json\n\n\
    Exit status: 0; 1 if the script failed; 2 for usage; 3 if a limit ended it; or what `exit(n)` says.")]
pub struct RunArguments {
    #[command(flatten)]
    pub limits: ScriptLimits,
    #[command(flatten)]
    pub cost: CostLimit,
    /// Run the script in an evaluator that is itself a WebAssembly module: nothing that it does can harm this process, all
    /// of it counts for --max-cost, and it takes fifteen to thirty times as long, except where a guest computes
    #[arg(long, conflicts_with = "trace")]
    pub isolated: bool,
    /// Write the session to FILE when the script has succeeded, for `wasmlark call --session`
    #[arg(long, value_name = "FILE", requires = "isolated", conflicts_with = "profile")]
    pub save: Option<std::path::PathBuf>,
    /// End the run after this time, as in 500ms, 1.5s or 2m; unlike limits, this depends on the machine and its load
    #[arg(long, value_name = "DURATION", value_parser = crate::interrupt::duration)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub guests: GuestOptions,
    /// The directory that names in `load`, `wasm.Module` and `read_file` are relative to [default: the script's]
    #[arg(long, value_name = "DIR")]
    pub root: Option<std::path::PathBuf>,
    /// Let the script write files, with `write_file`: below DIR, when it has succeeded, all or none
    #[arg(long, value_name = "DIR")]
    pub out: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub records: RecordOptions,
    /// How to print the error that ends the script: as text, or as a line of JSON
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub error_format: ErrorFormat,
    /// Run this text instead of a file; if it is an expression, its value is printed
    #[arg(short, long, value_name = "TEXT")]
    pub eval: Option<String>,
    /// The script, or `-` for stdin; the arguments after it are the script's `argv`
    // One list: everything after SCRIPT belongs to the script, even what looks like an option.
    #[arg(value_names = ["SCRIPT", "ARG"], num_args = 1.., required_unless_present = "eval", trailing_var_arg = true)]
    pub command: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "Examples: wasmlark repl     wasmlark repl plugin.star     echo '6 * 7' | wasmlark repl\n\n\
    The value of an expression is printed. A block ends with an empty line. Tab completes names, attributes and\n\
    exports. Ctrl-C ends what runs, Ctrl-D the console. From a pipe there is no prompt, and a block ends where the\n\
    next line is not indented; the exit status is then 1 if a statement failed.")]
pub struct ReplArguments {
    #[command(flatten)]
    pub limits: ScriptLimits,
    #[command(flatten)]
    pub guests: GuestOptions,
    /// The directory that names in `load`, `wasm.Module` and `read_file` are relative to [default: the script's]
    #[arg(long, value_name = "DIR")]
    pub root: Option<std::path::PathBuf>,
    /// A script that is run first; its variables are at hand
    #[arg(value_name = "SCRIPT")]
    pub script: Option<String>,
    /// The script's `argv`
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

#[derive(Args)]
#[command(
    after_help = "Examples: wasmlark call add.wat add 40 2     wasmlark call --session shop.session order '{\"item\": 7}'\n\n\
    Results are printed on a line each. A module that imports WASI gets an empty machine.\n\
    Exit status: 0; 1 if the call trapped or the module cannot be used; 2 if the arguments do not fit; 3 if a limit ended it."
)]
pub struct CallArguments {
    #[command(flatten)]
    pub limits: ScriptLimits,
    #[command(flatten)]
    pub cost: SessionCostLimit,
    /// End the run after this time, as in 500ms, 1.5s or 2m; unlike limits, this depends on the machine and its load
    #[arg(long, value_name = "DURATION", value_parser = crate::interrupt::duration)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub guests: GuestOptions,
    #[command(flatten)]
    pub records: RecordOptions,
    /// Go on with the session that `wasmlark run --save` wrote to FILE: call a function of its script, with arguments in
    /// JSON, or as text where they are not JSON
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["trace", "profile", "backtrace"])]
    pub session: Option<std::path::PathBuf>,
    /// Write the session to SAVED after the call
    #[arg(long, value_name = "SAVED", requires = "session")]
    pub save: Option<std::path::PathBuf>,
    /// The module, in binary or text format, or `-` for stdin, but for --session; the exported function; and its arguments,
    /// by its signature: ints in decimal or as 0x…, floats, vectors as 0x…, `null` for a reference
    #[arg(value_names = ["FILE", "NAME", "ARG"], num_args = 1.., required = true, allow_hyphen_values = true, trailing_var_arg = true)]
    pub command: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "A comment `# starlark-lint-disable NAME` turns a warning off for its line.\n\
    Exit status: 0, 1 if there is an error among what was found, 2 for usage.")]
pub struct CheckArguments {
    /// The directory that names in `load` and `wasm.Module` are relative to [default: the script's]
    #[arg(long, value_name = "DIR")]
    pub root: Option<std::path::PathBuf>,
    /// How to print what is found: as text, as a line of JSON each, or as one SARIF log
    #[arg(long, visible_alias = "error-format", value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: CheckFormat,
    /// The scripts, or `-` for stdin
    #[arg(value_name = "SCRIPT", required = true)]
    pub scripts: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "Example: wasmlark test --root . tests --filter memory\n\n\
    In files `*_test.star`, each function whose name begins with `test_` is a test. It is called without arguments, in a\n\
    sandbox of its own in which its file has run.\n\
    Files `*_chunks.star` are cut in chunks, which lines `---` end. Each is a test, a script in a sandbox of its own. A line\n\
    that ends in `### MESSAGE` must fail with this message.\n\
    Both have `assert_eq`, `assert_fails` and more: `wasmlark doc asserts`.\n\
    Exit status: 0; 1 if a test failed, or there is none; 2 for usage.")]
pub struct TestArguments {
    #[command(flatten)]
    pub limits: ScriptLimits,
    #[command(flatten)]
    pub cost: CostLimit,
    /// Run the tests in an evaluator that is itself a WebAssembly module, as `wasmlark run --isolated` does
    #[arg(long, conflicts_with = "coverage")]
    pub isolated: bool,
    /// Write the messages that marked lines of chunks fail with behind the marks, in place of those that differ
    #[arg(long)]
    pub update: bool,
    /// The directory that names in `load`, `wasm.Module` and `read_file` are relative to [default: that of each file]
    #[arg(long, value_name = "DIR")]
    pub root: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub guests: GuestOptions,
    /// Run only tests for which `FILE:NAME`, or `FILE:LINE: TITLE` of a chunk, contains this text
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// The tests that run at a time [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// End each test after this time, and before it the statements of its file, as in 500ms, 1.5s or 2m; unlike limits,
    /// this depends on the machine and its load
    #[arg(long, value_name = "DURATION", value_parser = crate::interrupt::duration)]
    pub timeout: Option<Duration>,
    /// Write to this file which lines of the scripts ran, in the format of lcov
    #[arg(long, value_name = "FILE")]
    pub coverage: Option<std::path::PathBuf>,
    /// Write the results to this file too, in JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<std::path::PathBuf>,
    /// Files, and folders to be searched for `*_test.star` and `*_chunks.star`
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<std::path::PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    Text,
    Json,
    Sarif,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ErrorFormat {
    Text,
    Json,
}

#[derive(Args)]
pub struct DocArguments {
    /// One entry, such as `wasm.instantiate`, `wasm.Memory` or `wasm.Memory.read` [default: all]
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Args)]
#[command(
    after_help = "Editors start it, and speak to it on stdin and stdout: diagnostics, which are those of `wasmlark check`, hover,\n\
    completion and definitions.\n\
    Exit status: 0; 1 if the client ended it without `shutdown`, or broke the protocol."
)]
pub struct LspArguments {
    /// The directory that names in `load` and `wasm.Module` are relative to [default: that of each script]
    #[arg(long, value_name = "DIR")]
    pub root: Option<std::path::PathBuf>,
}

#[derive(Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Args)]
#[command(
    after_help = "Exit status: the guest's; 1 if it trapped or could not run; 2 for usage; 3 if a limit ended it.\n\
    The guest sees nothing of the host except stdin and what is given here. Time starts at --now and\n\
    advances by a millisecond at each reading; the random bytes follow from --seed."
)]
pub struct WasiArguments {
    /// Set an environment variable
    #[arg(long, value_name = "K=V", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// Give the guest a directory, as it is at the start; GUEST is its path there [default: HOST, from /]
    #[arg(long, value_name = "HOST[:GUEST]")]
    pub dir: Vec<String>,
    /// Write what the guest changed in the directories of --dir to the host, at the end
    #[arg(long)]
    pub write_back: bool,
    /// When the files of --dir were modified: a time that follows from the content, or the host's
    #[arg(long, value_name = "SOURCE", value_enum, default_value = "content")]
    pub times: Times,
    /// The time at which the clock starts, in nanoseconds since 1970 [default: 946684800000000000, the year 2000]
    #[arg(long, value_name = "N", value_parser = whole_number, default_value_t = 946_684_800_000_000_000, hide_default_value = true)]
    pub now: u64,
    /// The seed of the random bytes [default: 0]
    #[arg(long, value_name = "N", value_parser = whole_number, default_value_t = 0, hide_default_value = true)]
    pub seed: u64,
    #[command(flatten)]
    pub limits: CommandLimits,
    /// End the run after this time, as in 500ms, 1.5s or 2m; unlike limits, this depends on the machine and its load
    #[arg(long, value_name = "DURATION", value_parser = crate::interrupt::duration)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub guests: GuestOptions,
    #[command(flatten)]
    pub records: RecordOptions,
    /// The module; the arguments after it are the guest's, which also gets the module's name without its directory
    // One list: everything after FILE belongs to the guest, even what looks like an option.
    #[arg(value_names = ["FILE.wasm", "ARG"], num_args = 1.., required = true, trailing_var_arg = true)]
    pub command: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Times {
    Content,
    Host,
}

#[derive(Args)]
pub struct InspectArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the whole module in the text format
    #[arg(long, conflicts_with = "json")]
    pub wat: bool,
    /// The module, or `-` for stdin
    #[arg(value_name = "FILE")]
    pub file: String,
}

fn whole_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number, got `{text}`"))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
