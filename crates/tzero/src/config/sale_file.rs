//! A sale as a TOML or JSON file: the members of `POST /admin/v1/sales`, checked before anything is sent.
//!
//! The server checks them too and has the last word (whether the sale exists, whether it can serve the
//! mode); here a person learns of every mistake at once, with its line. Instants may be written as TOML
//! dates with an offset or as RFC 3339 texts.

use std::collections::BTreeSet;
use std::path::Path;

use domain::limits::MAX_PRODUCTS;
use domain::money::{Currency, Money};
use serde_json::{Map, Value};

use super::document::{self, Located, Member, Node};
use super::json_document;
use super::mistake::{Mistake, Mistakes, Place};
use super::nearest::nearest;
use super::sale_members::{Form, MONEY, PRODUCT, Rule, SALE};

/// Bytes of the longest sale file that is read.
pub const LONGEST: u64 = 1 << 20;

/// Reads the text of a sale file that is called `name`, which is JSON where it ends so, and gives the body to post.
///
/// # Errors
/// Every mistake with its line, its member and what would be right.
pub fn read(name: &str, text: &str) -> Result<Value, Mistakes> {
    let mut reader = Reader { name, mistakes: Vec::new() };
    let is_json = Path::new(name).extension().is_some_and(|extension| extension == "json");
    let (form, members) =
        if is_json { ("JSON", json_document::read(text)) } else { ("TOML", document::read(text)) };
    let sale = match members {
        Ok(members) => reader.sale(&members),
        Err(broken) => {
            broken.into_iter().for_each(|(line, what)| reader.wrong(line, "", format!("not {form}: {what}")));
            Map::new()
        }
    };
    if reader.mistakes.is_empty() { Ok(Value::Object(sale)) } else { Err(Mistakes::of(reader.mistakes)) }
}

/// Reads members one by one and keeps what is wrong.
struct Reader<'a> {
    name: &'a str,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, line: usize, member: &str, detail: impl Into<String>) {
        let place = Place::File { name: self.name.to_owned(), line };
        self.mistakes.push(Mistake::new(place, member, detail));
    }

    fn sale(&mut self, members: &[Member]) -> Map<String, Value> {
        let sale = self.members(SALE, "", 1, members);
        let instant = |name: &str| sale.get(name).and_then(Value::as_str);
        if let (Some(start), Some(end)) = (instant("starts_at"), instant("ends_at"))
            && end <= start
        {
            let line = members.iter().find(|member| member.name == "ends_at").map_or(1, |member| member.line);
            self.wrong(line, "ends_at", format!("must be later than starts_at ({start})"));
        }
        sale
    }

    /// All members that `rules` know; `owner` is the line of the table that they are in.
    fn members(
        &mut self,
        rules: &[Rule],
        within: &str,
        owner: usize,
        members: &[Member],
    ) -> Map<String, Value> {
        let mut read = Map::new();
        for member in members {
            let full = format!("{within}{}", member.name);
            let Some(rule) = rules.iter().find(|rule| rule.name == member.name) else {
                let detail = match nearest(&member.name, rules.iter().map(|rule| rule.name)) {
                    Some(near) => format!("unknown member; the nearest known one is {within}{near}"),
                    None => {
                        let known: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
                        format!("unknown member; known ones are {}", known.join(", "))
                    }
                };
                self.wrong(member.line, &full, detail);
                continue;
            };
            if let Some(value) = self.member(rule, &full, member) {
                read.insert(rule.name.to_owned(), value);
            }
        }
        let absent = |rule: &&Rule| rule.required && !members.iter().any(|member| member.name == rule.name);
        for rule in rules.iter().filter(absent) {
            self.wrong(
                owner,
                &format!("{within}{}", rule.name),
                format!("is missing; it {}", rule.form.expected()),
            );
        }
        read
    }

    fn member(&mut self, rule: &Rule, full: &str, member: &Member) -> Option<Value> {
        match (rule.form, &member.value.node) {
            (Form::Products, Node::List(products)) if !products.is_empty() => Some(self.products(products)),
            (Form::Money, Node::Table(parts)) => Some(self.money(full, member.line, parts)),
            // Null is how JSON says that there is none.
            (Form::Address | Form::Money, Node::Null) if !rule.required => None,
            (form, node) => match form.json(node) {
                Ok(value) => Some(value),
                Err(detail) => {
                    self.wrong(member.line, full, detail);
                    None
                }
            },
        }
    }

    fn products(&mut self, products: &[Located]) -> Value {
        if let Some(beyond) = products.get(MAX_PRODUCTS) {
            let detail =
                format!("a sale has at most {MAX_PRODUCTS} products, and this one has {}", products.len());
            self.wrong(beyond.line, "products", detail);
        }
        let mut known = BTreeSet::new();
        let mut read = Vec::new();
        for (at, product) in products.iter().enumerate() {
            let full = format!("products[{at}]");
            let Node::Table(members) = &product.node else {
                self.wrong(product.line, &full, Form::Products.expected());
                continue;
            };
            let product_read = self.members(PRODUCT, &format!("{full}."), product.line, members);
            if let Some(id) = product_read.get("product_id").and_then(Value::as_str)
                && !known.insert(id.to_owned())
            {
                let detail = format!("{id:?} is another product's identifier already; each needs its own");
                self.wrong(line_of(members, "product_id"), &format!("{full}.product_id"), detail);
            }
            self.same_currency(&full, members, &product_read);
            read.push(Value::Object(product_read));
        }
        read.into()
    }

    /// A former price is shown beside the price, so both are in one currency.
    fn same_currency(&mut self, full: &str, members: &[Member], product: &Map<String, Value>) {
        let currency = |name: &str| Currency::parse(product.get(name)?.get("currency")?.as_str()?);
        if let (Some(price), Some(former)) = (currency("price"), currency("compare_at"))
            && price != former
        {
            let detail = format!(
                "must be in the currency of the price, {}, and not in {}",
                price.code(),
                former.code()
            );
            self.wrong(line_of(members, "compare_at"), &format!("{full}.compare_at"), detail);
        }
    }

    /// An amount with its currency; each is judged by the other.
    fn money(&mut self, full: &str, line: usize, parts: &[Member]) -> Value {
        let read = self.members(MONEY, &format!("{full}."), line, parts);
        let part = |name: &str| read.get(name).and_then(Value::as_str);
        for refusal in Money::refusals(part("amount"), part("currency")) {
            let name = refusal.member();
            self.wrong(line_of(parts, name), &format!("{full}.{name}"), refusal.to_string());
        }
        Value::Object(read)
    }
}

fn line_of(members: &[Member], name: &str) -> usize {
    members.iter().find(|member| member.name == name).map_or(1, |member| member.line)
}

#[cfg(test)]
#[path = "sale_file_tests.rs"]
mod tests;
