//! Bytes that outlive a process: tickets, session tokens, journal records.
