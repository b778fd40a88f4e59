//! What is there is found, what is missing is named with the way to get it.

use super::{Installer, Need, Proof, provide};

const SHELL: Need =
    Need { name: "a shell", proof: Proof::OneOf(&["sh"]), packages: &[], otherwise: "install a shell" };
const ABSENT: Need = Need {
    name: "the unobtainable",
    proof: Proof::OneOf(&["no-such-program-here"]),
    packages: &[],
    otherwise: "invent it",
};
const FAILING: Need = Need {
    name: "a shell that agrees",
    proof: Proof::Succeeds(&["sh", "-c", "exit 1"]),
    packages: &[],
    otherwise: "ask again",
};

#[test]
fn what_is_there_is_found() {
    assert!(SHELL.is_met());
    assert!(SHELL.program().is_some_and(|path| path.ends_with("sh")));
    assert_eq!(provide(&[SHELL]), Ok(()));
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let refusal = provide(&[SHELL, ABSENT, FAILING]).unwrap_err();
    assert!(refusal.contains("the unobtainable is missing: invent it"), "{refusal}");
    assert!(refusal.contains("a shell that agrees is missing: ask again"), "{refusal}");
    assert!(!refusal.contains("a shell is missing"), "{refusal}");
}

#[test]
fn the_instruction_fits_the_machine() {
    let with_sudo = super::PYTHON_VENV.instruction(Installer::AptGetNotRoot);
    assert!(with_sudo.contains("sudo apt-get install python3 python3-venv"), "{with_sudo}");
    let elsewhere = super::PYTHON_VENV.instruction(Installer::None);
    assert!(elsewhere.contains("install Python 3.11 or later with its venv module"), "{elsewhere}");
    let component = super::RUSTFMT.instruction(Installer::AptGetNotRoot);
    assert!(component.contains("rustup component add rustfmt"), "{component}");
}
