//! A herd of distinct buyers against a running system: open-loop load, percentiles, outcomes, audit.
