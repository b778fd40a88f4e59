//! The program: hands the command line over and turns the outcome into an exit code.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tzero::cli::main(std::env::args_os(), tzero::config::environment::of_this_process())
}
