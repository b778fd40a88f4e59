//! Every port on one SQLite file: memory guarded by the domain, journalled before it answers.
