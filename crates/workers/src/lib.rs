//! The loops that a role runs: timer and nudge, backoff, drain.
