//! A plan as people read it, and as JSON.

use serde_json::{Value, json};

use super::costs::{Cost, Costs};
use super::judge::{Finding, Weight};
use super::needs::{Needs, Row};

/// A plan that is ready to be told.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose plan it is.
    pub sale: String,
    /// The costs that it rests on.
    pub costs: Costs,
    /// What is needed.
    pub needs: Needs,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is impossible.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight == Weight::Warning)
    }

    /// As a table with a heading for each group, then what is wrong, then the verdict.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!("{}:", self.sale)];
        let mut group = "";
        for Row { group: heading, words, value, unit, source, .. } in &self.needs.rows {
            if *heading != group {
                group = heading;
                lines.extend([String::new(), group.to_owned()]);
            }
            lines.push(line(words, *value, unit, source));
        }
        lines.extend([String::new(), "Costs, and where each was measured".to_owned()]);
        for cost in Cost::ALL {
            if let Some(figure) = self.costs.get(cost) {
                let words = format!("{} ({})", cost.words(), cost.name());
                lines.push(line(&words, Some(figure.value), cost.unit(), &figure.source));
            }
        }
        lines.push(String::new());
        for finding in &self.findings {
            let weight = if finding.weight == Weight::Impossible { "IMPOSSIBLE" } else { "warning" };
            lines.push(format!("{weight}: {}: {}", finding.name, finding.says));
        }
        lines.push(self.verdict().to_owned());
        lines.join("\n")
    }

    const fn words(possible: bool, warned: bool) -> &'static str {
        match (possible, warned) {
            (false, _) => "This sale cannot go well as it is set up.",
            (true, true) => "Possible, with warnings.",
            (true, false) => "Possible: nothing is wrong as far as the figures tell.",
        }
    }

    fn verdict(&self) -> &'static str {
        Self::words(self.is_possible(), !self.findings.is_empty())
    }

    /// With every figure in its unit.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let row = |row: &Row| {
            let Row { group, name, words, value, unit, source } = row;
            json!({ "name": name, "group": group, "words": words, "value": value, "unit": unit, "source": source })
        };
        let known = |cost: &Cost| {
            let figure = self.costs.get(*cost)?;
            Some(
                json!({ "name": cost.name(), "value": figure.value, "unit": cost.unit(), "source": figure.source }),
            )
        };
        let finding = |finding: &Finding| {
            let weight = if finding.weight == Weight::Impossible { "impossible" } else { "warning" };
            json!({ "name": finding.name, "weight": weight, "says": finding.says })
        };
        json!({
            "sale_id": self.sale,
            "possible": self.is_possible(),
            "figures": self.needs.rows.iter().map(row).collect::<Vec<_>>(),
            "costs": Cost::ALL.iter().filter_map(known).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }
}

fn line(words: &str, value: Option<f64>, unit: &str, source: &str) -> String {
    let value = value.map_or_else(|| "–".to_owned(), number);
    format!("  {words:<58} {value:>13} {unit:<12} {source}")
}

/// Three digits at least, and thousands apart.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 3,
        _ => 5,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut apart = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + rest
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
