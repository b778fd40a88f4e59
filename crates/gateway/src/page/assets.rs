//! Scripts and styles: compiled in, named by their hash, kept for ever by caches.

use std::sync::OnceLock;

/// A file that a page needs.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub body: &'static [u8],
}

const JS: &str = "text/javascript; charset=utf-8";

const FILES: [(&str, Asset); 4] = [
    (
        "style.css",
        Asset { content_type: "text/css; charset=utf-8", body: include_bytes!("assets/style.css") },
    ),
    ("buy.js", Asset { content_type: JS, body: include_bytes!("assets/buy.js") }),
    ("order.js", Asset { content_type: JS, body: include_bytes!("assets/order.js") }),
    ("console.js", Asset { content_type: JS, body: include_bytes!("assets/console.js") }),
];

struct Named {
    plain: &'static str,
    hashed: String,
    asset: Asset,
}

fn all() -> &'static [Named] {
    static ALL: OnceLock<Vec<Named>> = OnceLock::new();
    let named = |(plain, asset): (&'static str, Asset)| {
        let hash = blake3::hash(asset.body).to_hex();
        let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
        Named { plain, hashed: format!("{stem}.{}.{extension}", &hash[..12]), asset }
    };
    ALL.get_or_init(|| FILES.into_iter().map(named).collect())
}

/// Where the file is served.
pub(super) fn address(plain: &str) -> String {
    let found = all().iter().find(|named| named.plain == plain);
    found.map_or_else(|| "/assets/missing".to_owned(), |named| format!("/assets/{}", named.hashed))
}

/// The file of this name, hash and all.
#[must_use]
pub fn asset(name: &str) -> Option<Asset> {
    all().iter().find(|named| named.hashed == name).map(|named| named.asset)
}
