//! A TOML document in which every member and value knows its line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

/// A value and the line where it begins, from 1.
#[derive(Clone, Debug)]
pub struct Located {
    /// The line.
    pub line: usize,
    /// The value.
    pub node: Node,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Node {
    /// A string.
    Text(String),
    /// An integer that fits.
    Integer(i64),
    /// An integer that does not fit, as it was written.
    TooLarge(String),
    /// A float.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// Nothing; only JSON has it.
    Null,
    /// A date, a time, or both.
    Date(Datetime),
    /// An array.
    List(Vec<Located>),
    /// A table.
    Table(Vec<Member>),
}

/// A member of a table.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The line of its name, from 1.
    pub line: usize,
    /// Its value.
    pub value: Located,
}

/// Where the text is not TOML: the line and what is wrong.
pub type Broken = (usize, String);

/// Reads all of `text`; everything that is not TOML is named with its line.
pub fn read(text: &str) -> Result<Vec<Member>, Vec<Broken>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(members(text, table.get_ref()));
    }
    let broken = errors
        .iter()
        .map(|error| (error.span().map_or(1, |span| line(text, &span)), error.message().to_owned()));
    Err(broken.collect())
}

impl Node {
    /// What it is, for messages, as in "must be …, and not an integer".
    pub fn described(&self) -> String {
        match self {
            Self::Text(text) => format!("the text {text:?}"),
            Self::Integer(number) => format!("the number {number}"),
            Self::TooLarge(digits) => format!("the number {digits}"),
            Self::Number(number) => format!("the number {number:?}"),
            Self::Flag(flag) => flag.to_string(),
            Self::Null => "null".to_owned(),
            Self::Date(date) => format!("the date {date}"),
            Self::List(values) if values.is_empty() => "an empty list".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1
}

fn members(text: &str, table: &DeTable<'_>) -> Vec<Member> {
    let member = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &Spanned<std::borrow::Cow<'_, str>> = name;
        Member {
            name: name.get_ref().to_string(),
            line: line(text, &name.span()),
            value: located(text, value),
        }
    };
    table.iter().map(member).collect()
}

fn located(text: &str, value: &Spanned<DeValue<'_>>) -> Located {
    Located { line: line(text, &value.span()), node: node(text, value.get_ref()) }
}

fn node(text: &str, value: &DeValue<'_>) -> Node {
    match value {
        DeValue::String(content) => Node::Text(content.to_string()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Node::Integer(number),
            Err(_) => Node::TooLarge(digits.to_string()),
        },
        DeValue::Float(digits) => Node::Number(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Node::Flag(*flag),
        DeValue::Datetime(date) => Node::Date(*date),
        DeValue::Array(values) => Node::List(values.iter().map(|value| located(text, value)).collect()),
        DeValue::Table(table) => Node::Table(members(text, table)),
    }
}
