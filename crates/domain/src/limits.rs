//! Every maximum in one file, with its reason.

/// Units of one product: `numbers` fit in 24 bits, so that a unit is 4 bytes everywhere. From the HTTP contract.
pub const MAX_STOCK: u32 = 16_777_215;
/// Units that one buyer may ask for in one checkout, and the largest `max_per_user`. From the HTTP contract.
pub const MAX_PER_USER: u8 = 100;
/// Products of one sale: a sale document stays below 64 KiB and a product number below 16 bits.
pub const MAX_PRODUCTS: usize = 100;
/// Shortest hold, milliseconds. From the HTTP contract.
pub const MIN_HOLD_MS: u64 = 1_000;
/// Longest hold, milliseconds (24 hours). From the HTTP contract.
pub const MAX_HOLD_MS: u64 = 86_400_000;
/// Hold where the sale names none, milliseconds (5 minutes). From the HTTP contract.
pub const DEFAULT_HOLD_MS: u64 = 300_000;
/// A sale without `ends_at` ends this much after it starts, milliseconds (24 hours). From the HTTP contract.
pub const DEFAULT_SALE_MS: u64 = 86_400_000;
/// Longest extension of a hold, milliseconds: no longer than the longest hold.
pub const MAX_EXTENSION_MS: u64 = MAX_HOLD_MS;
/// Characters of a sale's or product's name.
pub const MAX_NAME_CHARS: usize = 200;
/// Characters of a description or of an operator's message.
pub const MAX_TEXT_CHARS: usize = 4_000;
/// Characters of an image's address.
pub const MAX_URL_CHARS: usize = 2_000;
/// Largest price of one unit in minor units of its currency: a hundred units still fit far inside an `i64`.
pub const MAX_PRICE_MINOR: i64 = 1_000_000_000_000;
/// Requests that one batch of holds carries at most: a batch keeps a single-threaded store busy for about a
/// millisecond, and a Lua function of this size can still be waited for.
pub const MAX_BATCH: usize = 512;

/// Whether a name stands within a line of a page or of a log as it is: no control character, nothing that breaks a line or
/// overrides the direction of what follows (Unicode Standard Annex 9).
#[must_use]
pub fn is_one_line(name: &str) -> bool {
    let turns = |letter| matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !name.contains(|letter: char| letter.is_control() || turns(letter))
}

const _: () = assert!(MAX_PRICE_MINOR.checked_mul(MAX_PER_USER as i64).is_some());
const _: () = assert!(MIN_HOLD_MS <= DEFAULT_HOLD_MS && DEFAULT_HOLD_MS <= MAX_HOLD_MS);
const _: () = assert!(MAX_STOCK < 1 << 24);
