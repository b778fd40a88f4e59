//! A JSON document in which every member and value knows its line.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Broken, Located, Member, Node};

/// Reads all of `text`, which must be one object.
pub fn read(text: &str) -> Result<Vec<Member>, Vec<Broken>> {
    // Editors write a mark at the beginning of a file, which a reader may pass over (RFC 8259, section 8.1), as TOML's does.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let broken = |error: &serde_json::Error| {
        let said = error.to_string();
        // The place is said by the line.
        (error.line().max(1), said.split(" at line ").next().unwrap_or_default().to_owned())
    };
    let whole: Value = serde_json::from_str(text).map_err(|error| vec![broken(&error)])?;
    // From here on the text is known to be JSON: the walk only finds the lines.
    let mut walk = Walk { text, at: 0, twice: Vec::new() };
    let read = walk.value().map(|located| located.node);
    match read {
        Some(Node::Table(_)) if !walk.twice.is_empty() => Err(walk.twice),
        Some(Node::Table(members)) if whole.is_object() => Ok(members),
        _ => Err(vec![(1, "must be one object, { … }".to_owned())]),
    }
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// Members that their object has already, which JSON itself allows.
    twice: Vec<Broken>,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character that is not white space.
    fn next(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    /// Whether `wanted` comes next, which is then passed over.
    fn pass(&mut self, wanted: char) -> bool {
        let comes = self.next() == Some(wanted);
        self.at += if comes { wanted.len_utf8() } else { 0 };
        comes
    }

    fn line(&self) -> usize {
        self.text.bytes().take(self.at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn value(&mut self) -> Option<Located> {
        let next = self.next()?;
        let line = self.line();
        let node = match next {
            '{' => Node::Table(self.table()?),
            '[' => Node::List(self.listed('[', ']', Self::value)?),
            '"' => Node::Text(self.string()?),
            _ => self.literal()?,
        };
        Some(Located { line, node })
    }

    fn table(&mut self) -> Option<Vec<Member>> {
        let members = self.listed('{', '}', |walk| {
            let (line, name) = (walk.line(), walk.string()?);
            walk.pass(':');
            Some(Member { name, line, value: walk.value()? })
        })?;
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for Member { name, line, .. } in &members {
            if let Some(other) = first.insert(name, *line) {
                self.twice.push((
                    *line,
                    format!("the member {name:?} stands here again; it is in line {other} already"),
                ));
            }
        }
        Some(members)
    }

    fn listed<T>(
        &mut self,
        open: char,
        close: char,
        each: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.pass(open);
        let mut all = Vec::new();
        while !self.pass(close) {
            self.next()?;
            all.push(each(self)?);
            self.pass(',');
        }
        Some(all)
    }

    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|(_, letter)| {
            let ends = *letter == '"' && !escaped;
            escaped = *letter == '\\' && !escaped;
            ends
        });
        let quoted = self.rest().get(..=end?.0)?.to_owned();
        self.at += quoted.len();
        serde_json::from_str(&quoted).ok()
    }

    fn literal(&mut self) -> Option<Node> {
        let ends = |letter: char| letter.is_whitespace() || [',', ']', '}'].contains(&letter);
        let literal = self.rest().split(ends).next()?.to_owned();
        self.at += literal.len();
        Some(match serde_json::from_str(&literal).ok()? {
            Value::Null => Node::Null,
            Value::Bool(flag) => Node::Flag(flag),
            number => match (number.as_i64(), number.is_u64()) {
                (Some(number), _) => Node::Integer(number),
                (None, true) => Node::TooLarge(literal),
                (None, false) => Node::Number(number.as_f64()?),
            },
        })
    }
}

#[cfg(test)]
#[path = "json_document_tests.rs"]
mod tests;
