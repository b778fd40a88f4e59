//! Which path stands for which method of the orders port.

use http::{Method, Uri};

/// One method of the orders port, or the question after a node's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Checkout,
    Status,
    Cancel,
    Extend,
    Views,
    Wait,
    Health,
}

impl Route {
    const ALL: [Self; 7] =
        [Self::Checkout, Self::Status, Self::Cancel, Self::Extend, Self::Views, Self::Wait, Self::Health];

    /// Those whose questions cross in bundles.
    pub(crate) const CARRIED: [Self; 5] =
        [Self::Checkout, Self::Status, Self::Cancel, Self::Extend, Self::Views];

    /// Questions that one bundle of it has at most; one after counts of products asks for many of them already.
    pub(crate) const fn together(self) -> usize {
        match self {
            Self::Views => 1,
            _ => crate::bundle::MOST,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Checkout => "/checkout",
            Self::Status => "/status",
            Self::Wait => "/wait",
            Self::Cancel => "/cancel",
            Self::Extend => "/extend",
            Self::Views => "/views",
            Self::Health => "/health",
        }
    }

    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Health => Method::GET,
            _ => Method::POST,
        }
    }

    /// The route of a request; `None` where there is none.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.path() == path && route.method() == *method)
    }
}

/// The address of each route; parsed once.
pub(crate) struct Addresses([Uri; Route::ALL.len()]);

impl Addresses {
    pub(crate) fn new() -> Result<Self, String> {
        let mut uris: [Uri; Route::ALL.len()] = Default::default();
        for (uri, route) in uris.iter_mut().zip(Route::ALL) {
            let address = format!("http://orders{}", route.path());
            *uri = address.parse().map_err(|error| format!("{address} is no address: {error}"))?;
        }
        Ok(Self(uris))
    }

    pub(crate) fn of(&self, route: Route) -> Uri {
        self.0.get(route as usize).cloned().unwrap_or_default()
    }
}
