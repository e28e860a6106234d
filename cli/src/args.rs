//! The command line, as plain data.

use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "wasmlark", version, about = "Starlark scripts that load, link and call WebAssembly modules")]
#[command(after_help = "Exit status: 0 done; 1 the script failed; 2 usage; 3 a limit of the sandbox ended it.")]
pub struct Arguments {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand)]
pub enum Action {
    /// Run a script
    Run(RunArguments),
    /// Show what a module imports and exports, as a script would call it
    Inspect(InspectArguments),
    /// Run a command module that is built for WASI, on a machine in memory
    Wasi(WasiArguments),
}

#[derive(Args)]
pub struct RunArguments {
    /// WebAssembly fuel for the whole run, about one per instruction [default: 100000000000]
    #[arg(long, value_name = "N")]
    pub fuel: Option<u64>,
    /// Bytes of linear memory: a number, with K, M or G for the binary multiples [default: 1G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// Starlark ticks: function calls and rounds of loops [default: 1000000000]
    #[arg(long, value_name = "N")]
    pub max_ticks: Option<u64>,
    /// The folder that names in `load` and `wasm.Module` are relative to [default: the script's]
    #[arg(long, value_name = "DIR")]
    pub root: Option<std::path::PathBuf>,
    /// Print fuel, ticks and memory peak to stderr at the end, as one JSON line
    #[arg(long)]
    pub stats: bool,
    /// The script, or `-` for stdin, and all arguments that follow for the script: its `argv`
    // One list: everything behind SCRIPT is the script's, also what looks like an option.
    #[arg(value_names = ["SCRIPT", "ARG"], num_args = 1.., required = true, trailing_var_arg = true)]
    pub command: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "Exit status: the guest's; 1 it trapped or could not run; 2 usage; 3 a limit ended it.\n\
    The guest sees nothing of the host but its stdin and what is given here. Time starts at --now and\n\
    moves by a millisecond whenever it is read; random bytes follow from --seed.")]
pub struct WasiArguments {
    /// Set an environment variable
    #[arg(long, value_name = "K=V", value_parser = variable)]
    pub env: Vec<(String, String)>,
    /// Copy a folder in before; GUEST is its path there [default: HOST, seen from /]
    #[arg(long, value_name = "HOST[:GUEST]")]
    pub dir: Vec<String>,
    /// Copy what changed in the folders of --dir out after
    #[arg(long)]
    pub write_back: bool,
    /// Nanoseconds since 1970 that the clock starts at [default: 946684800000000000, the year 2000]
    #[arg(long, value_name = "N", default_value_t = 946_684_800_000_000_000, hide_default_value = true)]
    pub now: u64,
    /// The seed of the random bytes [default: 0]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub seed: u64,
    /// WebAssembly fuel, about one per instruction [default: 100000000000]
    #[arg(long, value_name = "N")]
    pub fuel: Option<u64>,
    /// Bytes of linear memory: a number, with K, M or G for the binary multiples [default: 1G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// Bytes of files [default: 256M]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_files: Option<u64>,
    /// Print fuel and memory peak to stderr at the end, as one JSON line
    #[arg(long)]
    pub stats: bool,
    /// The module, and all arguments that follow for the guest, behind FILE.wasm without its folder
    // One list: everything behind FILE is the guest's, also what looks like an option.
    #[arg(value_names = ["FILE.wasm", "ARG"], num_args = 1.., required = true, trailing_var_arg = true)]
    pub command: Vec<String>,
}

#[derive(Args)]
pub struct InspectArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The module, or `-` for stdin
    #[arg(value_name = "FILE")]
    pub file: String,
}

fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1),
    };
    let number: u64 = digits
        .unwrap_or_default()
        .parse()
        .map_err(|_| "expected a number of bytes, such as 65536, 64K, 16M or 1G".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "does not fit in 64 bits".to_owned())
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
