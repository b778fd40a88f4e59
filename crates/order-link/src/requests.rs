//! Requests as a client sends them.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use http_body_util::Full;

use crate::key::LinkKey;
use crate::route::{Addresses, Route};

/// Makes requests: what is the same in all of them is made once.
pub(crate) struct Requests {
    addresses: Addresses,
    bearer: HeaderValue,
}

impl Requests {
    pub(crate) fn new(key: &LinkKey) -> Result<Self, String> {
        Ok(Self { addresses: Addresses::new()?, bearer: key.bearer().header()? })
    }

    pub(crate) fn of(&self, route: Route, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = route.method();
        *request.uri_mut() = self.addresses.of(route);
        request.headers_mut().insert(AUTHORIZATION, self.bearer.clone());
        request
    }
}
