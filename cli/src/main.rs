//! The `wasmlark` command.

mod args;
mod exit;
mod folder;
mod inspect;
mod limits;
mod run;
mod wasi;
mod write_back;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let status = match arguments.action {
        args::Action::Run(options) => run::run(options),
        args::Action::Inspect(options) => inspect::run(options),
        args::Action::Wasi(options) => wasi::run(options),
    };
    ExitCode::from(status)
}
