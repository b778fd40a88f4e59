//! Bytes that the function library and this client share: requests, records, answers. Numbers are big-endian.

use domain::hold::{Effect, EffectKind, Grant, HoldOutcome, HoldRequest, Intent, StockView, Terms, Units};
use domain::id::{Epoch, ProductNo, TicketId, UserHash};
use domain::snapshot::{Place, RecordSnapshot};
use domain::time::Timestamp;
use ports::Fault;

/// Set in a record's first byte where the buyer knows its claim by another ticket.
const OWN_TICKET: u8 = 4;

/// Reads from the front; `None` where there is not enough.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn instant(&mut self) -> Option<Timestamp> {
        let millis = i64::from_be_bytes(self.array()?);
        (0..=Timestamp::MAX.as_millis()).contains(&millis).then(|| Timestamp::from_millis(millis))
    }

    /// The rest as numbers.
    pub(crate) fn units(&mut self) -> Option<Vec<u32>> {
        let whole = self.0.len().is_multiple_of(4);
        let numbers = self.0.chunks_exact(4).filter_map(|four| four.try_into().ok());
        let numbers = numbers.map(u32::from_be_bytes).collect();
        self.0 = &[];
        whole.then_some(numbers)
    }

    fn stamp(&mut self) -> Option<(Epoch, Timestamp)> {
        Some((Epoch(self.u32()?), self.instant()?))
    }

    fn grant(&mut self) -> Option<Grant> {
        let (epoch, issued_at) = self.stamp()?;
        Some(Grant { units: self.units()?.into_iter().collect(), epoch, issued_at })
    }
}

/// A user and a product, as the field under which the user's units of it stand.
pub(crate) fn standing(user: UserHash, product: ProductNo) -> Vec<u8> {
    [&user.0[..], &product.0.to_be_bytes()].concat()
}

/// The products as `ARGV[2]` names them.
pub(crate) fn named(products: &[ProductNo]) -> Vec<u8> {
    products.iter().flat_map(|product| product.0.to_be_bytes()).collect()
}

/// The third argument of a request; `place` is that of its product among those named, from 1.
pub(crate) fn ask(request: &HoldRequest, place: u8, sealed: &[u8]) -> Vec<u8> {
    let intent = match request.intent {
        Intent::Take => 0,
        Intent::Find => 1,
        Intent::TakeLate => 2,
        Intent::Weigh => 3,
    };
    let own = request.ticket != request.claim;
    let mut bytes =
        vec![request.terms.quantity, request.limit, intent, place, if own { OWN_TICKET } else { 0 }];
    if own {
        bytes.extend_from_slice(&request.ticket.0);
    }
    bytes.extend_from_slice(sealed);
    bytes
}

/// The second argument of an effect.
pub(crate) fn body(effect: &Effect, place: u8) -> Vec<u8> {
    let kind = match effect.kind {
        EffectKind::Pin => 1,
        EffectKind::Release => 2,
        EffectKind::Confirm => 3,
        EffectKind::Return => 4,
        EffectKind::Restock => 5,
    };
    let mut bytes = vec![kind, place];
    bytes.extend(effect.units.iter().flat_map(|unit| unit.to_be_bytes()));
    bytes
}

/// A record of the ledger, as the shard keeps it: acknowledged, so without the buyer's identifier.
///
/// # Errors
/// More units than a hold can have.
pub(crate) fn record(snapshot: &RecordSnapshot) -> Result<Vec<u8>, Fault> {
    let count = u8::try_from(snapshot.units.len())
        .map_err(|_| Fault::damaged("a snapshot", "a claim has too many units"))?;
    let place = match snapshot.place {
        Place::Held => 0,
        Place::Sold => 1,
        Place::Gone => 2,
    };
    let own = snapshot.ticket != snapshot.claim;
    let mut bytes = vec![place + if own { OWN_TICKET } else { 0 }, snapshot.terms.quantity];
    bytes.extend(standing(snapshot.user, snapshot.terms.product));
    bytes.extend(snapshot.epoch.0.to_be_bytes());
    bytes.extend(snapshot.issued_at.as_millis().to_be_bytes());
    bytes.extend([0, 0, 0, 0, count]);
    bytes.extend(snapshot.units.iter().flat_map(|unit| unit.to_be_bytes()));
    if own {
        bytes.extend_from_slice(&snapshot.ticket.0);
    }
    Ok(bytes)
}

/// A record that the ledger has not acknowledged.
pub(crate) struct Unacknowledged<'a> {
    pub(crate) ticket: TicketId,
    pub(crate) user: UserHash,
    pub(crate) terms: Terms,
    pub(crate) grant: Grant,
    pub(crate) sealed: &'a [u8],
}

/// Reads the record of `claim`; `None` where it is none.
pub(crate) fn unacknowledged(claim: TicketId, bytes: &[u8]) -> Option<Unacknowledged<'_>> {
    let mut reader = Reader(bytes);
    let own = reader.u8()? >= OWN_TICKET;
    let quantity = reader.u8()?;
    let user = UserHash(reader.array()?);
    let terms = Terms { product: ProductNo(reader.u16()?), quantity };
    let (epoch, issued_at) = reader.stamp()?;
    reader.u32()?;
    let count = usize::from(reader.u8()?);
    let units: Units = Reader(reader.bytes(4 * count)?).units()?.into_iter().collect();
    let ticket = if own { TicketId(reader.array()?) } else { claim };
    Some(Unacknowledged { ticket, user, terms, grant: Grant { units, epoch, issued_at }, sealed: reader.0 })
}

/// Reads the answer to one request; `None` where it is none.
pub(crate) fn outcome(bytes: &[u8]) -> Option<HoldOutcome> {
    let mut reader = Reader(bytes);
    Some(match reader.u8()? {
        // What Redis holds is no event yet: it must be published.
        b'H' => HoldOutcome::Held { grant: reader.grant()?, recorded: false },
        b'R' => {
            let recorded = reader.u8()? == 1;
            HoldOutcome::Replayed { grant: reader.grant()?, recorded }
        }
        b'K' => HoldOutcome::KeyReused,
        b'L' => HoldOutcome::LimitReached { newest: TicketId(reader.array()?), grant: reader.grant()? },
        b'S' => HoldOutcome::Short { free: reader.u32()? },
        b'A' => HoldOutcome::Absent,
        _ => return None,
    })
}

/// Reads the counters of a product: stock, free, held, sold; `None` where there is no such product.
pub(crate) fn counters(bytes: &[u8]) -> Option<StockView> {
    let mut reader = Reader(bytes);
    let (stock, available) = (reader.u32()?, reader.u32()?);
    let (held, sold) = (reader.u32()?, reader.u32()?);
    Some(StockView { stock, available, held, sold, next_release_at: None, open: true })
}
