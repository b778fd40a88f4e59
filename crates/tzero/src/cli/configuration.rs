//! `tzero config` and `tzero roles`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{ConfigFlags, Environment, Outcome, ServeFlags, say};
use crate::config::{Config, Sources};
use crate::role::Role;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Prints the configuration in effect, with where each value comes from
    Print(ServeFlags),
    /// Checks the configuration and names every mistake
    Check(ServeFlags),
}

/// The layers that the flags name.
fn sources(flags: &ConfigFlags, environment: Environment) -> Sources {
    let mut sources = Sources::new().environment(environment);
    if let Some(file) = &flags.config {
        sources = sources.file(file);
    }
    let data = flags.data.iter().map(|dir| ("data.dir".to_owned(), dir.display().to_string()));
    sources.flags(data).flags(flags.set.iter().cloned())
}

/// The configuration that the flags name.
pub fn load(flags: &ConfigFlags, environment: Environment) -> Result<Config, String> {
    Config::load(sources(flags, environment)).map_err(|mistakes| mistakes.to_string())
}

/// The configuration of a process that serves with these flags.
pub fn load_to_serve(flags: &ServeFlags, environment: Environment) -> Result<Config, String> {
    let named = [
        ("server.listen", &flags.listen),
        ("server.admin_listen", &flags.admin_listen),
        ("server.public_url", &flags.public_url),
    ];
    let set = named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
    Config::load(sources(&flags.config, environment).flags(set)).map_err(|mistakes| mistakes.to_string())
}

/// Runs `tzero config …`.
pub fn run(command: ConfigCommand, environment: Environment) -> Outcome {
    match command {
        ConfigCommand::Print(flags) => say(load_to_serve(&flags, environment)?.print().trim_end())?,
        ConfigCommand::Check(flags) => {
            crate::preflight::check(&load_to_serve(&flags, environment)?)?;
            say("The configuration is right.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `tzero roles`.
pub fn roles() -> Outcome {
    for role in Role::ALL {
        say(&format!("{:<11} {}", role.name(), role.purpose()))?;
    }
    Ok(ExitCode::SUCCESS)
}
