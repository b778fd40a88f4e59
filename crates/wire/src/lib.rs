//! Bytes that outlive a process: signed tickets, and the records of the embedded journal.
//!
//! What is written here is read by later versions: a form is added under a new number, never changed. The golden
//! tests hold the bytes of every form.

pub mod codec;
pub mod record;
mod record_order;
mod record_sale;
pub mod ticket;
