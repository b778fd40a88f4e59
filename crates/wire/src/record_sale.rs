//! A sale's definition in the journal.

use domain::challenge::ChallengeRule;
use domain::id::ProductId;
use domain::money::{Currency, Money};
use domain::product::Product;
use domain::sale::{Mode, Sale};

use crate::codec::{Malformed, Reader, Writer};

/// Numbers here are never used for anything else again. A sale that asks nobody is written as it always was.
const fn rule_number(rule: ChallengeRule) -> u64 {
    match rule {
        ChallengeRule::Never => 0,
        ChallengeRule::Suspects => 1,
        ChallengeRule::Always => 2,
    }
}

/// A sale, led by whom it asks.
pub(crate) fn write_asking(sale: &Sale, to: &mut Writer) {
    to.number(rule_number(sale.challenge));
    write_sale(sale, to);
}

pub(crate) fn read_asking(from: &mut Reader<'_>) -> Result<Sale, Malformed> {
    let number = from.number()?;
    let rule = ChallengeRule::ALL.into_iter().find(|rule| rule_number(*rule) == number);
    let challenge = rule.ok_or(Malformed::Value("whom a sale asks"))?;
    Ok(Sale { challenge, ..read_sale(from)? })
}

pub(crate) fn write_sale(sale: &Sale, to: &mut Writer) {
    to.text(sale.sale_id.as_str());
    to.text(&sale.name);
    to.text(&sale.description);
    to.text(&sale.message);
    to.time(sale.starts_at);
    to.time(sale.ends_at);
    to.number(match sale.mode {
        Mode::Rush => 0,
        Mode::Draw => 1,
    });
    to.number(sale.hold_ms);
    to.number(sale.extension_ms);
    to.number(u64::from(sale.shards));
    to.flag(sale.paused);
    to.number(sale.revision);
    to.number(sale.products.len() as u64);
    sale.products.iter().for_each(|product| write_product(product, to));
}

pub(crate) fn read_sale(from: &mut Reader<'_>) -> Result<Sale, Malformed> {
    let mut sale = Sale {
        sale_id: from.sale()?,
        name: from.text()?.to_owned(),
        description: from.text()?.to_owned(),
        message: from.text()?.to_owned(),
        starts_at: from.time()?,
        ends_at: from.time()?,
        mode: match from.number()? {
            0 => Mode::Rush,
            1 => Mode::Draw,
            _ => return Err(Malformed::Value("a sale's mode")),
        },
        hold_ms: from.number()?,
        extension_ms: from.number()?,
        challenge: ChallengeRule::Never,
        shards: from.small("a count of shards")?,
        paused: from.flag()?,
        revision: from.number()?,
        products: Vec::new(),
    };
    sale.products = from.list(read_product)?;
    Ok(sale)
}

fn write_product(product: &Product, to: &mut Writer) {
    to.text(product.product_id.as_str());
    to.text(&product.name);
    to.text(&product.description);
    to.optional(product.image_url.as_deref(), Writer::text);
    write_money(product.price, to);
    to.optional(product.compare_at, |to, money| write_money(money, to));
    to.number(u64::from(product.stock));
    to.number(u64::from(product.max_per_user));
}

fn read_product(from: &mut Reader<'_>) -> Result<Product, Malformed> {
    Ok(Product {
        product_id: ProductId::parse(from.text()?).map_err(|_| Malformed::Value("a product's identifier"))?,
        name: from.text()?.to_owned(),
        description: from.text()?.to_owned(),
        image_url: from.optional(|from| from.text().map(str::to_owned))?,
        price: read_money(from)?,
        compare_at: from.optional(read_money)?,
        stock: from.small("a stock")?,
        max_per_user: from.small("a limit")?,
    })
}

pub(crate) fn write_money(money: Money, to: &mut Writer) {
    to.number(money.minor as u64);
    to.text(money.currency.code());
}

pub(crate) fn read_money(from: &mut Reader<'_>) -> Result<Money, Malformed> {
    let minor = from.number()? as i64;
    let currency = Currency::parse(from.text()?).ok_or(Malformed::Value("a currency"))?;
    Ok(Money { minor, currency })
}
