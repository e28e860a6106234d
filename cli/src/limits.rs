//! Options that set limits: one for each row of the library's table.

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use wasmlark::{Limit, LimitUnit, Limits};

/// The limits of a script, set by the options.
pub struct ScriptLimits(pub Limits);

/// The limits of a command module, set by the options.
pub struct CommandLimits(pub Limits);

/// Returns the name of the option that sets a limit.
fn option(limit: Limit) -> String {
    let name = limit.as_str().replace('_', "-");
    // Fuel is given to a run; the others are maximums.
    if limit == Limit::Fuel { name } else { format!("max-{name}") }
}

/// Returns the options that set these limits. Their help shows the default of each.
fn args(limits: impl Iterator<Item = Limit>, defaults: Limits) -> impl Iterator<Item = Arg> {
    limits.map(move |limit| {
        let default = limit.format(defaults.get(limit));
        let form = match (limit.unit(), limit.is_optional()) {
            (LimitUnit::Bytes, _) => "; K, M or G after the number are the binary multiples",
            (_, true) => "; `none` turns the limit off",
            _ => "",
        };
        Arg::new(limit.as_str())
            .long(option(limit))
            .value_name(if limit.unit() == LimitUnit::Bytes { "SIZE" } else { "N" })
            .value_parser(move |text: &str| limit.parse(text))
            .help(format!("{} [default: {default}]", limit.summary().trim_end_matches('.')))
            .long_help(format!("{}\n\n[default: {default}{form}]", paragraphs(limit)))
            .help_heading("Limits")
    })
}

/// Returns the documentation of a limit with each paragraph on one line, for clap to wrap.
fn paragraphs(limit: Limit) -> String {
    let paragraphs: Vec<String> = limit.doc().split("\n\n").map(|text| text.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

fn read(matches: &ArgMatches, limits: &mut Limits) -> Result<(), Error> {
    for limit in Limit::ALL {
        if let Ok(Some(value)) = matches.try_get_one::<Option<u64>>(limit.as_str()) {
            limits
                .put(*limit, *value)
                .map_err(|error| Error::raw(clap::error::ErrorKind::ValueValidation, format!("{error}\n")))?;
        }
    }
    Ok(())
}

macro_rules! limit_options {
    ($options:ident: $defaults:expr, $applies:expr) => {
        impl Args for $options {
            fn augment_args(command: Command) -> Command {
                command.args(args(Limit::ALL.iter().copied().filter($applies), $defaults))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $options {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                let mut options = Self($defaults);
                options.update_from_arg_matches(matches)?;
                Ok(options)
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                read(matches, &mut self.0)
            }
        }
    };
}

limit_options!(ScriptLimits: Limits::new(), |limit| *limit != Limit::Cost);
// No default limit on fuel: a program may well need more than a script does, and whoever starts one at a terminal can stop
// it. No option for `output`: that limits output which is kept, and here it is passed on.
limit_options!(CommandLimits: Limits::new().fuel(None), |limit| limit.applies_to_commands() && *limit != Limit::Output);

/// Adds the option of the limit `cost`, which makes sense only beside another option. Its value is among the [`ScriptLimits`],
/// which read all limits that are there.
macro_rules! cost_option {
    ($name:ident beside $other:literal) => {
        pub struct $name;

        impl Args for $name {
            fn augment_args(command: Command) -> Command {
                command.args(args([Limit::Cost].into_iter(), Limits::new()).map(|arg| arg.requires($other)))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(_matches: &ArgMatches) -> Result<Self, Error> {
                Ok(Self)
            }

            fn update_from_arg_matches(&mut self, _matches: &ArgMatches) -> Result<(), Error> {
                Ok(())
            }
        }
    };
}

cost_option!(CostLimit beside "isolated");
cost_option!(SessionCostLimit beside "session");
