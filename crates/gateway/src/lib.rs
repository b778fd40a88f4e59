//! HTTP: accept loop, sessions, limits, the API of the contract, the page.
