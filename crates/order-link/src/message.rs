//! Bytes of questions and answers: the values one after another, as `wire::codec` writes them. The version of the form
//! leads whatever crosses: a bundle (`bundle.rs`), or a message that crosses alone.
//!
//! Gateways and nodes are of different releases while an upgrade rolls through: a form that changes gets a new version, and
//! an end that does not know the other's version says so. The golden tests hold the bytes.

use bytes::Bytes;
use domain::hold::StockView;
use domain::id::{IdempotencyKey, ProductId, SaleId, UserId};
use domain::limits::MAX_PER_USER;
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use ports::Fault;
use ports::orders::Checkout;
use wire::codec::{Malformed, Reader, Writer};

use crate::document::{read_document, read_stamp, write_document, write_stamp};
use crate::words::kept;

/// The version of the messages here.
pub(crate) const VERSION: u64 = 1;
/// Room that nearly every message fits in, bytes.
const ROOM: usize = 192;
/// A fault's detail is for people; the rest of a longer one is left out, characters.
const DETAIL: usize = 2_000;
/// Stands in the number of a checkout's quantity where a challenge was passed: checkouts of sales that ask nobody cross as they
/// did before sales could ask.
const PASSED: u64 = 0x80;
/// What stands for the name of a part of the other end, where it cannot be kept.
const SOME_PART: &str = "a part of an orders node";
const _: () = assert!((MAX_PER_USER as u64) < PASSED);

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A form of another release.
    #[error("version {0} of the link's messages is not known here; this program speaks version {VERSION}")]
    Version(u64),
    /// Not what was written.
    #[error("a message of the link: {0}")]
    Malformed(#[from] Malformed),
}

/// A product, and the sale that it is of.
pub(crate) type ProductOf = (SaleId, ProductId);

/// What `fill` writes, for a bundle.
pub(crate) fn part(fill: impl FnOnce(&mut Writer)) -> Bytes {
    let mut to = Writer::with_room(ROOM);
    fill(&mut to);
    Bytes::from(to.into_bytes())
}

/// Reads all of a part of a bundle.
pub(crate) fn read_part<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let mut from = Reader::new(bytes);
    let value = read(&mut from)?;
    if from.is_empty() { Ok(value) } else { Err(Malformed::Value("what follows its end")) }
}

/// A message that crosses alone, which `fill` writes.
pub(crate) fn message(fill: impl FnOnce(&mut Writer)) -> Bytes {
    let mut to = Writer::with_room(ROOM);
    to.number(VERSION);
    fill(&mut to);
    Bytes::from(to.into_bytes())
}

/// Reads a whole message.
pub(crate) fn read_message<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, Unreadable> {
    let mut from = Reader::new(bytes);
    read_version(&mut from)?;
    Ok(read_part(bytes.get(bytes.len() - from.left()..).unwrap_or_default(), read)?)
}

/// Reads what leads everything that crosses.
pub(crate) fn read_version(from: &mut Reader<'_>) -> Result<(), Unreadable> {
    match from.number()? {
        VERSION => Ok(()),
        other => Err(Unreadable::Version(other)),
    }
}

pub(crate) fn write_checkout(checkout: &Checkout, to: &mut Writer) {
    to.text(checkout.sale.as_str());
    to.text(checkout.user.as_str());
    to.text(checkout.product.as_str());
    to.text(checkout.key.as_str());
    to.number(u64::from(checkout.quantity) | if checkout.passed { PASSED } else { 0 });
}

pub(crate) fn read_checkout(from: &mut Reader<'_>) -> Result<Checkout, Malformed> {
    let mut checkout = Checkout {
        sale: from.sale()?,
        user: UserId::parse(from.text()?).map_err(|_| Malformed::Value("a user's identifier"))?,
        product: read_product(from)?,
        key: IdempotencyKey::parse(from.text()?).map_err(|_| Malformed::Value("a key"))?,
        quantity: 0,
        passed: false,
    };
    let number = from.number()?;
    checkout.passed = number & PASSED != 0;
    checkout.quantity = quantity(number & !PASSED)?;
    Ok(checkout)
}

fn read_product(from: &mut Reader<'_>) -> Result<ProductId, Malformed> {
    ProductId::parse(from.text()?).map_err(|_| Malformed::Value("a product's identifier"))
}

fn quantity(number: u64) -> Result<u8, Malformed> {
    let quantity = u8::try_from(number).map_err(|_| Malformed::Value("a quantity"))?;
    if (1..=MAX_PER_USER).contains(&quantity) { Ok(quantity) } else { Err(Malformed::Value("a quantity")) }
}

pub(crate) fn write_wait((stamp, version): (&TicketStamp, u32), to: &mut Writer) {
    write_stamp(stamp, to);
    to.number(u64::from(version));
}

pub(crate) fn read_wait(from: &mut Reader<'_>) -> Result<(TicketStamp, u32), Malformed> {
    Ok((read_stamp(from)?, from.small("a version")?))
}

pub(crate) fn write_products(products: &[ProductOf], to: &mut Writer) {
    to.number(products.len() as u64);
    for (sale, product) in products {
        to.text(sale.as_str());
        to.text(product.as_str());
    }
}

pub(crate) fn read_products(from: &mut Reader<'_>) -> Result<Vec<ProductOf>, Malformed> {
    from.list(|from| Ok((from.sale()?, read_product(from)?)))
}

/// An answer, or the fault that there is instead of it.
pub(crate) fn write_answer<T>(answer: Result<T, Fault>, write: impl FnOnce(T, &mut Writer), to: &mut Writer) {
    match answer {
        Ok(value) => {
            to.number(0);
            write(value, to);
        }
        Err(fault) => write_fault(&fault, to),
    }
}

pub(crate) fn read_answer<T>(
    from: &mut Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Result<T, Fault>, Malformed> {
    match from.number()? {
        0 => read(from).map(Ok),
        number => read_fault(number, from).map(Err),
    }
}

fn write_fault(fault: &Fault, to: &mut Writer) {
    let mut parts = |number: u64, what: &str, detail: &str| {
        to.number(number);
        to.text(what);
        let end = detail.char_indices().nth(DETAIL).map_or(detail.len(), |(end, _)| end);
        to.text(detail.get(..end).unwrap_or_default());
    };
    match fault {
        Fault::Unavailable { what, detail } => parts(1, what, detail),
        Fault::Damaged { what, detail } => parts(2, what, detail),
        Fault::Overloaded(what) => {
            to.number(3);
            to.text(what);
        }
        Fault::Closed(shard) => {
            to.number(4);
            to.shard(shard);
        }
    }
}

fn read_fault(number: u64, from: &mut Reader<'_>) -> Result<Fault, Malformed> {
    match number {
        1 => read_parts(from).map(|(what, detail)| Fault::Unavailable { what, detail }),
        2 => read_parts(from).map(|(what, detail)| Fault::Damaged { what, detail }),
        3 => Ok(Fault::Overloaded(kept(from.text()?).unwrap_or(SOME_PART))),
        4 => from.shard().map(Fault::Closed),
        _ => Err(Malformed::Value("a fault")),
    }
}

/// What failed, and what it said; a name that cannot be kept becomes part of the latter.
fn read_parts(from: &mut Reader<'_>) -> Result<(&'static str, String), Malformed> {
    let (what, detail) = (from.text()?, from.text()?);
    Ok(kept(what).map_or_else(|| (SOME_PART, format!("{what}: {detail}")), |what| (what, detail.to_owned())))
}

pub(crate) fn write_known(document: Option<StatusDocument>, to: &mut Writer) {
    to.optional(document.as_ref(), |to, document| write_document(document, to));
}

pub(crate) fn read_known(from: &mut Reader<'_>) -> Result<Option<StatusDocument>, Malformed> {
    from.optional(read_document)
}

pub(crate) fn write_views(views: Vec<Option<StockView>>, to: &mut Writer) {
    to.number(views.len() as u64);
    views.into_iter().for_each(|view| to.optional(view, |to, view| write_view(&view, to)));
}

pub(crate) fn read_views(from: &mut Reader<'_>) -> Result<Vec<Option<StockView>>, Malformed> {
    from.list(|from| from.optional(read_view))
}

fn write_view(view: &StockView, to: &mut Writer) {
    [view.stock, view.available, view.held, view.sold].iter().for_each(|count| to.number(u64::from(*count)));
    to.optional(view.next_release_at, Writer::time);
    to.flag(view.open);
}

fn read_view(from: &mut Reader<'_>) -> Result<StockView, Malformed> {
    const COUNT: &str = "a count of units";
    Ok(StockView {
        stock: from.small(COUNT)?,
        available: from.small(COUNT)?,
        held: from.small(COUNT)?,
        sold: from.small(COUNT)?,
        next_release_at: from.optional(Reader::time)?,
        open: from.flag()?,
    })
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
