//! How numbers, texts and lists lie in a record: LEB128 for numbers, a length before every text.

use domain::id::{SaleId, ShardId};
use domain::time::Timestamp;

/// Why bytes are no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end too early.
    #[error("the record ends too early")]
    Short,
    /// A value that this form does not have.
    #[error("{0} is not what was written")]
    Value(&'static str),
    /// A form that this version does not know.
    #[error("record form {0} is not known to this version")]
    Form(u64),
}

/// Appends values to a buffer.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A buffer with room for so many bytes; it grows where that is too little.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// What was written, without the buffer around it.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was written, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// A number.
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Bytes whose count the form fixes.
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Bytes, their count first.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// An instant.
    pub fn time(&mut self, at: Timestamp) {
        self.number(at.as_millis() as u64);
    }

    /// A value that may be missing.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.number(u64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// A yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.number(u64::from(flag));
    }

    /// A shard.
    pub fn shard(&mut self, shard: &ShardId) {
        self.text(shard.sale.as_str());
        self.number(u64::from(shard.number));
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Bytes that were not read yet.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len()
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number.
    ///
    /// # Errors
    /// The bytes end, or the number does not fit 64 bits.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.fixed()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed::Value("a number"))
    }

    /// A number that must fit a smaller type.
    ///
    /// # Errors
    /// It does not, or the bytes end.
    pub fn small<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, Malformed> {
        T::try_from(self.number()?).map_err(|_| Malformed::Value(what))
    }

    /// Bytes whose count the form fixes.
    ///
    /// # Errors
    /// The bytes end.
    pub fn fixed<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (first, rest) = self.bytes.split_first_chunk().ok_or(Malformed::Short)?;
        self.bytes = rest;
        Ok(first)
    }

    /// A text.
    ///
    /// # Errors
    /// The bytes end, or are no text.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.blob()?).map_err(|_| Malformed::Value("a text"))
    }

    /// Bytes, their count first.
    ///
    /// # Errors
    /// The bytes end.
    pub fn blob(&mut self) -> Result<&'a [u8], Malformed> {
        let length: usize = self.small("a length")?;
        let (blob, rest) = self.bytes.split_at_checked(length).ok_or(Malformed::Short)?;
        self.bytes = rest;
        Ok(blob)
    }

    /// An instant.
    ///
    /// # Errors
    /// The bytes end.
    pub fn time(&mut self) -> Result<Timestamp, Malformed> {
        Ok(Timestamp::from_millis(self.small("an instant")?))
    }

    /// A value that may be missing.
    ///
    /// # Errors
    /// Those of `read`, or the bytes end.
    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A yes or no.
    ///
    /// # Errors
    /// Neither, or the bytes end.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Value("a flag")),
        }
    }

    /// A list, its length first.
    ///
    /// # Errors
    /// Those of `read`, or the bytes end.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let length: usize = self.small("a length")?;
        // A forged length must not reserve memory that the bytes cannot fill.
        let mut list = Vec::with_capacity(length.min(self.bytes.len()));
        for _ in 0..length {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// A shard.
    ///
    /// # Errors
    /// It is none, or the bytes end.
    pub fn shard(&mut self) -> Result<ShardId, Malformed> {
        let sale = self.sale()?;
        Ok(ShardId { sale, number: self.small("a shard's number")? })
    }

    /// A sale's identifier.
    ///
    /// # Errors
    /// It is none, or the bytes end.
    pub fn sale(&mut self) -> Result<SaleId, Malformed> {
        SaleId::parse(self.text()?).map_err(|_| Malformed::Value("a sale's identifier"))
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
