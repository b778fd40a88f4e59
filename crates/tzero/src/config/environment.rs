//! The one home of the process's environment.

/// The variables of this process whose names begin with `TZERO_`; bytes that are not UTF-8 are replaced.
#[must_use]
pub fn of_this_process() -> Vec<(String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let ours = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    ours.filter(|(name, _)| name.starts_with("TZERO_")).collect()
}
