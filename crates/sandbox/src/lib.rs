//! A payment provider of its own: HTTP API, hosted pages, a ledger of money, signed webhooks, and faults on demand.
