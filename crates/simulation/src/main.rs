//! Walks many seeds and prints what was counted; ends with 1 where a promise was broken.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

use std::process::ExitCode;

use simulation::{Figures, Mutants, STEPS, Walk, walk};

/// Events of a broken walk that are printed.
const LAST: usize = 60;

const USAGE: &str =
    "usage: simulation [--seeds N] [--from SEED] [--steps N] [--mutant NAME[+NAME]] [--last N]
  --seeds N       how many seeds are walked (1000)
  --from SEED     the first one (0)
  --steps N       steps of a walk, from half of it to one and a half times (300)
  --mutant NAME   walks without a rule; `list` prints all of them
  --last N        events that are printed of a walk that broke a promise (60)";

struct Arguments {
    seeds: u64,
    from: u64,
    steps: u32,
    mutants: Mutants,
    last: usize,
    list: bool,
}

fn main() -> ExitCode {
    let arguments = match read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            eprintln!("error: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if arguments.list {
        simulation::Mutant::ALL.iter().for_each(|mutant| println!("{mutant}"));
        return ExitCode::SUCCESS;
    }
    run(&arguments)
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments =
        Arguments { seeds: 1_000, from: 0, steps: STEPS, mutants: Mutants::NONE, last: LAST, list: false };
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word}: a value must follow"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word}: {value}: must be a whole number"));
        match word.as_str() {
            "--seeds" => arguments.seeds = number()?,
            "--from" => arguments.from = number()?,
            "--steps" => {
                arguments.steps = u32::try_from(number()?).map_err(|_| format!("{word}: too many"))?;
            }
            "--last" => arguments.last = number()? as usize,
            "--mutant" if value == "list" => arguments.list = true,
            "--mutant" => {
                arguments.mutants = Mutants::parse(&value)
                    .map_err(|name| format!("--mutant: {name}: is no mutant; `--mutant list` names all"))?;
            }
            _ => return Err(format!("{word}: is no option")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> ExitCode {
    let mut figures = Figures::default();
    for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
        let walked = walk(seed, arguments.steps, arguments.mutants, false);
        figures.add(&walked.figures);
        if walked.violation.is_some() {
            report(seed, arguments);
            println!("{figures}violations            1");
            return ExitCode::FAILURE;
        }
    }
    println!("{figures}violations            0");
    ExitCode::SUCCESS
}

/// Walks the seed again, with its story.
fn report(seed: u64, arguments: &Arguments) {
    let Walk { options, violation, story, .. } = walk(seed, arguments.steps, arguments.mutants, true);
    let from = story.len().saturating_sub(arguments.last);
    story[from..].iter().for_each(|line| println!("{line}"));
    if let Some(violation) = violation {
        println!("seed {seed}: {violation}");
    }
    if let Some(options) = options {
        println!("options: {options}");
    }
    println!("mutants: {}; again: --seeds 1 --from {seed} --steps {}", arguments.mutants, arguments.steps);
}
