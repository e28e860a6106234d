//! `wasmlark completions` and `wasmlark man`: what packagers install beside the command.

use std::io::{Error, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit;

/// Prints the completion script of a shell and returns the exit status.
pub fn completions(shell: Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "wasmlark", &mut script);
    exit::printed(&script)
}

/// Prints the manual page, all subcommands on one, and returns the exit status.
pub fn man() -> u8 {
    let mut page = Vec::new();
    match write_page(&mut page) {
        Ok(()) => exit::printed(&page),
        Err(error) => exit::fail(&format!("cannot make the manual page: {error}")),
    }
}

fn write_page(page: &mut Vec<u8>) -> Result<(), Error> {
    let mut command = Arguments::command();
    // Gives each subcommand its whole name, such as `wasmlark-run`.
    command.build();
    clap_mangen::Man::new(command.clone()).render(page)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let section = clap_mangen::Man::new(subcommand.clone());
        let name = subcommand.get_display_name().unwrap_or_default().replace('-', " ");
        writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
        section.render_description_section(page)?;
        section.render_synopsis_section(page)?;
        section.render_options_section(page)?;
    }
    Ok(())
}
