//! Files of costs: what is read, and what is refused with its name.

use super::{Cost, Costs};

fn file(name: &str, value: &str, unit: &str) -> String {
    format!(
        "machine = \"M\"\n[[figures]]\nname = \"{name}\"\nvalue = {value}\nunit = \"{unit}\"\nsource = \"S\"\n"
    )
}

#[test]
fn the_compiled_file_is_right_and_every_figure_says_where_it_is_from() {
    let costs = Costs::elsewhere().unwrap();
    for cost in [Cost::GrantedCpu, Cost::RefusedCpu, Cost::PollCpu, Cost::ConnectionMemory, Cost::OrderMemory]
    {
        let figure = costs.get(cost).unwrap();
        assert!(figure.source.starts_with("BENCHMARKS.md, "), "{figure:?}");
        assert!(figure.source.contains("on an Intel Xeon"), "{figure:?}");
    }
}

#[test]
fn compiled_figures_are_those_of_the_document() {
    let document = include_str!("../../../../BENCHMARKS.md");
    let costs = Costs::elsewhere().unwrap();
    let shown = |cost| format!("{:.2}", costs.value(cost).unwrap());
    for (row, cost) in [
        ("granted checkout", Cost::GrantedCpu),
        ("refusal: all held", Cost::RefusedCpu),
        ("status poll", Cost::PollCpu),
    ] {
        let line = document.lines().find(|line| line.starts_with(&format!("| {row}"))).unwrap();
        assert!(line.contains(&format!("| {} (", shown(cost))), "{row}: {} in {line}", shown(cost));
    }
    let kib = costs.value(Cost::ConnectionMemory).unwrap() / 1024.0;
    assert!(document.contains(&format!("connection, 4,000 of them: tzero {kib:.1} KiB")));
    let order = costs.value(Cost::OrderMemory).unwrap();
    assert!(document.contains("606 MB resident, of 120,331") && (order - 606e6 / 120_331.0).abs() < 1.0);
}

#[test]
fn wrong_files_are_refused_by_name() {
    for (text, said) in [
        (file("grants", "1", "µs"), "\"grants\" is no cost"),
        (file("poll_cpu", "1", "ms"), "unit must be \"µs\", and not \"ms\""),
        (file("poll_cpu", "-1", "µs"), "value must be 0 or more"),
        (file("poll_cpu", "nan", "µs"), "value must be 0 or more"),
        (file("poll_cpu", "1e300", "µs"), "and 1000000000 at most"),
        (
            file("poll_cpu", "1", "µs").replace("\"S\"", "\"\\u001b[2J\""),
            "source must be a text without control",
        ),
        (file("poll_cpu", "1", "µs").replace("\"M\"", "\"a\\nb\""), "machine must be a text without control"),
        (file("poll_cpu", "1", "µs") + &file("poll_cpu", "1", "µs")[14..], "once"),
        ("machine = 1".to_owned(), "machine"),
    ] {
        let wrong = Costs::read("c.toml", &text).unwrap_err();
        assert!(wrong.starts_with("c.toml: ") && wrong.contains(said), "{said} in {wrong}");
    }
}

#[test]
fn what_is_known_better_counts() {
    let mut here = Costs::default();
    here.set(Cost::PollCpu, 1.0, "here");
    let both = here.or(Costs::read("c.toml", &file("poll_cpu", "2", "µs")).unwrap());
    assert_eq!(both.get(Cost::PollCpu).unwrap().source, "here");
    let other = both.or(Costs::read("c.toml", &file("poll_in", "300", "bytes")).unwrap());
    assert_eq!(other.value(Cost::PollIn), Some(300.0));
    assert_eq!(other.get(Cost::PollIn).unwrap().source, "S, on M");
}
