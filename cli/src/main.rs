//! The `wasmlark` command.

mod args;
mod call;
mod ceiling;
mod check;
mod doc;
mod exit;
mod flame;
mod folder;
mod generate;
mod host_file;
mod inspect;
mod interrupt;
mod limits;
mod lsp;
mod out;
mod profile;
mod read;
mod repl;
mod root;
mod run;
mod sarif;
mod session;
mod stack;
mod streams;
mod terminal;
mod test;
mod trace;
mod wasi;
mod write_back;

use std::process::ExitCode;

use clap::Parser;
use wasmlark::Limits;

fn main() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => error.exit(),
        // Help, or the version.
        Err(asked) => return ExitCode::from(exit::printed(asked.render().to_string().as_bytes())),
    };
    let status = match arguments.action {
        args::Action::Run(options) if options.isolated => isolated(&options.limits.0.clone(), || run::run(options)),
        args::Action::Run(options) => guarded(options.limits.0.clone(), || run::run(options)),
        args::Action::Repl(options) => guarded(options.limits.0.clone(), || repl::run(options)),
        args::Action::Call(options) if options.session.is_some() => {
            isolated(&options.limits.0.clone(), || call::run(options))
        }
        args::Action::Call(options) => guarded(options.limits.0.clone(), || call::run(options)),
        args::Action::Check(options) => guarded(Limits::new(), || check::run(options)),
        args::Action::Doc(options) => doc::run(options),
        args::Action::Test(options) => test::run(&options),
        args::Action::Inspect(options) => guarded(Limits::new(), || inspect::run(options)),
        args::Action::Wasi(options) => guarded(options.limits.0.clone(), || wasi::run(options)),
        args::Action::Lsp(options) => guarded(Limits::new(), || lsp::run(options)),
        args::Action::Completions(options) => generate::completions(options.shell),
        args::Action::Man => generate::man(),
    };
    ExitCode::from(status)
}

/// Does work on untrusted scripts that run isolated: their memory cannot pass a limit, so there is no ceiling, which the
/// growth of one large memory would meet before.
fn isolated(limits: &Limits, work: impl FnOnce() -> u8 + Send) -> u8 {
    stack::fitting(limits, work)
}

/// Does work on untrusted scripts or modules: below a ceiling on memory, and on a stack large enough for the limits.
fn guarded(limits: Limits, work: impl FnOnce() -> u8 + Send) -> u8 {
    ceiling::set(&limits, 1);
    stack::fitting(&limits, work)
}
