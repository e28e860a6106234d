//! The `wasmlark` command.

mod args;
mod folder;
mod inspect;
mod run;
mod wasi;
mod write_back;

use std::process::ExitCode;

use clap::Parser;

/// 0 done, 1 the script failed, 2 usage, 3 a limit of the sandbox ended it. `wasi`: the guest's.
fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let status = match arguments.action {
        args::Action::Run(options) => run::run(options),
        args::Action::Inspect(options) => inspect::run(options),
        args::Action::Wasi(options) => wasi::run(options),
    };
    ExitCode::from(status)
}
