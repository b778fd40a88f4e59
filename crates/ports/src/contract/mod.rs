//! Each promise of the ports, once, as a test that every adapter runs.
