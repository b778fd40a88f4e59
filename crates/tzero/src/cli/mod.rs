//! The command line.

mod audit;
mod client;
mod configuration;
mod dead_letters;
mod plan;
mod rehearse;
mod sale;
mod serve;
mod shards;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use domain::id::SaleId;

use crate::role::Role;

/// A flash-sale engine: sells exactly the stock there is, to the second, and loses no order.
#[derive(Debug, Parser)]
#[command(
    name = "tzero",
    version,
    arg_required_else_help = false,
    propagate_version = true,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything in this process and opens a sample sale in 20 seconds (the default)
    Demo(ServeFlags),
    /// Runs the given roles, all by default
    Serve {
        /// A role to run; may be repeated
        #[arg(long = "role", value_enum)]
        roles: Vec<Role>,
        #[command(flatten)]
        flags: ServeFlags,
    },
    /// Creates and steers sales of a running system
    #[command(subcommand)]
    Sale(sale::SaleCommand),
    /// Says what a herd needs of machines, stores and provider, and whether the sale can be sold as it is set up
    #[command(after_help = plan::AFTERWARDS)]
    Plan(Box<plan::PlanFlags>),
    /// Sends a herd of buyers against a running system, and audits it
    Rehearse(Box<rehearse::RehearseFlags>),
    /// Proves that no unit was sold twice and none is lost
    #[command(after_help = audit::EXIT_CODES)]
    Audit(audit::AuditFlags),
    /// Shows which shards sell, at which epoch, and how far their claims are taken in
    #[command(after_help = shards::EXIT_CODES)]
    Shards(ServerFlags),
    /// Lists what lay in the claim log of a fleet, was no claim and was put aside, the newest last
    #[command(after_help = dead_letters::EXIT_CODES)]
    DeadLetters(dead_letters::LetterFlags),
    /// Lists the roles
    Roles,
    /// Shows or checks the configuration
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
    /// Brings the stores that the configuration names to this version's form, and says what was done; in PostgreSQL as the owner
    /// of the tables
    Migrate(ConfigFlags),
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, Args)]
struct ConfigFlags {
    /// A TOML file over the default configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the embedded stores
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Any key of the configuration, e.g. --set processor.rate_per_s=50; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
}

/// How to serve.
#[derive(Clone, Debug, Default, Args)]
struct ServeFlags {
    #[command(flatten)]
    config: ConfigFlags,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Another address for /admin/v1
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// What browsers call this server, e.g. https://drop.example
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

/// How to reach a running system.
#[derive(Clone, Debug, Args)]
struct ServerFlags {
    /// The running system
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// The data folder whose operator's token is used where TZERO_ADMIN_TOKEN is unset
    #[arg(long, default_value = "./tzero-data", value_name = "DIR")]
    data: PathBuf,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE, e.g. processor.rate_per_s=50")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// The name of a sale, as it stands in addresses.
fn sale_id(text: &str) -> Result<String, String> {
    SaleId::parse(text).map(|_| text.to_owned()).map_err(|refusal| refusal.to_string())
}

/// The variables of the environment that begin with `TZERO_`.
type Environment = Vec<(String, String)>;

/// Why a command does not go on.
#[derive(Debug)]
enum Halt {
    /// What is said about it on standard error.
    Said(String),
    /// Nobody reads on: there is nobody to tell.
    Quiet,
}

impl From<String> for Halt {
    fn from(said: String) -> Self {
        Self::Said(said)
    }
}

/// What becomes of a command.
type Outcome = Result<ExitCode, Halt>;

/// The exit code where nobody reads on, as a shell names the end by SIGPIPE.
const NOBODY_READS: u8 = 141;

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> ExitCode {
    let parsed =
        Cli::command().try_get_matches_from(arguments).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version are no mistakes: clap knows which stream and which exit code.
            let code = if told.print().is_ok() { told.exit_code() as u8 } else { 1 };
            return ExitCode::from(code);
        }
    };
    run(cli, environment).unwrap_or_else(|halt| match halt {
        Halt::Quiet => ExitCode::from(NOBODY_READS),
        Halt::Said(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    })
}

fn run(cli: Cli, environment: Environment) -> Outcome {
    match cli.command.unwrap_or(Command::Demo(cli.serve)) {
        Command::Demo(flags) => serve::demo(&flags, environment),
        Command::Serve { roles, flags } => serve::serve(&roles, &flags, environment),
        Command::Sale(command) => sale::run(command, &environment),
        Command::Plan(flags) => plan::run(&flags, environment),
        Command::Rehearse(flags) => rehearse::run(&flags, &environment),
        Command::Audit(flags) => audit::run(&flags, &environment),
        Command::Shards(flags) => shards::run(&flags, &environment),
        Command::DeadLetters(flags) => dead_letters::run(&flags, environment),
        Command::Roles => configuration::roles(),
        Command::Config(command) => configuration::run(command, environment),
        Command::Migrate(flags) => serve::migrate(&flags, environment),
    }
}

/// A runtime for commands that talk to a server.
fn block_on<T, E: From<String>>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    let done = runtime.block_on(future);
    // What is still under way was told to end at once.
    runtime.shutdown_background();
    done
}

/// Prints a line for the user.
fn say(line: &str) -> Result<(), Halt> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Halt::Quiet,
        _ => Halt::Said(format!("cannot write to standard output: {error}")),
    })
}

/// Prints a line on standard error.
fn complain(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr().lock(), "tzero: {line}"));
}
