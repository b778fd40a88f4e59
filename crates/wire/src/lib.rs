//! Bytes that outlive a process: signed tickets, the records of the embedded journal, and events as other systems read them.
//!
//! What is written here is read by later versions: a form is added under a new number, never changed. The golden
//! tests hold the bytes of every form.

pub mod claim_event;
pub mod codec;
pub mod event;
pub mod order_event;
pub mod padding_event;
pub mod record;
mod record_order;
mod record_sale;
pub mod ticket;
