//! Scripts and styles: compiled in, named by their hash, kept for ever by caches.
//!
//! A script names the files that it imports or loads as they are called here; what is served names them by their hash.

use std::sync::OnceLock;

use crate::encoding::Forms;

/// A file that a page needs.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Media type.
    pub content_type: &'static str,
    /// Content, plain and compressed.
    pub forms: &'static Forms,
}

const JS: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// Every file, after those that it imports.
const FILES: [(&str, &str, &str); 16] = [
    ("style.css", CSS, include_str!("assets/style.css")),
    ("words.js", JS, include_str!("assets/words.js")),
    ("http.js", JS, include_str!("assets/http.js")),
    ("store.js", JS, include_str!("assets/store.js")),
    ("clock.js", JS, include_str!("assets/clock.js")),
    ("altcha.css", CSS, include_str!("assets/altcha/altcha.css")),
    ("altcha-worker.js", JS, include_str!("assets/altcha/pbkdf2.js")),
    ("altcha.js", JS, include_str!("assets/altcha/altcha.min.js")),
    ("altcha-licence.txt", TEXT, include_str!("assets/altcha/LICENSE.txt")),
    ("challenge.js", JS, include_str!("assets/challenge.js")),
    ("session.js", JS, include_str!("assets/session.js")),
    ("order-box.js", JS, include_str!("assets/order-box.js")),
    ("product.js", JS, include_str!("assets/product.js")),
    ("buy.js", JS, include_str!("assets/buy.js")),
    ("order.js", JS, include_str!("assets/order.js")),
    ("console.js", JS, include_str!("assets/console.js")),
];

struct Named {
    plain: &'static str,
    hashed: String,
    content_type: &'static str,
    forms: Forms,
    /// Places of the files that it imports, and that these import.
    imports: Vec<usize>,
}

fn all() -> &'static [Named] {
    static ALL: OnceLock<Vec<Named>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut done: Vec<Named> = Vec::with_capacity(FILES.len());
        for (plain, content_type, text) in FILES {
            let (mut body, mut imports) = (text.to_owned(), Vec::new());
            for (at, before) in done.iter().enumerate() {
                let named = format!("\"./{}\"", before.plain);
                // What is named otherwise than in an import is loaded later, by those who need it.
                if body.contains(&format!("from {named}")) {
                    imports.extend(before.imports.iter().copied().chain([at]));
                }
                body = body.replace(&named, &format!("\"./{}\"", before.hashed));
            }
            imports.sort_unstable();
            imports.dedup();
            let hash = blake3::hash(body.as_bytes()).to_hex();
            let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
            let hashed = format!("{stem}.{}.{extension}", &hash[..12]);
            done.push(Named { plain, hashed, content_type, forms: Forms::of(body), imports });
        }
        done
    })
}

/// Where the file is served.
pub(super) fn address(plain: &str) -> String {
    let found = all().iter().find(|named| named.plain == plain);
    found.map_or_else(|| "/assets/missing".to_owned(), |named| format!("/assets/{}", named.hashed))
}

/// The elements that load a script: what it imports is named as well, so that all of it is fetched at once.
pub(super) fn module(plain: &str) -> String {
    let imports = all().iter().find(|named| named.plain == plain).map_or(&[][..], |named| &named.imports);
    let imported = imports.iter().filter_map(|at| all().get(*at));
    let preload = |named: &Named| format!("<link rel=\"modulepreload\" href=\"/assets/{}\">", named.hashed);
    let preloads: String = imported.map(preload).collect();
    format!("{preloads}<script type=\"module\" src=\"{}\"></script>", address(plain))
}

/// The file of this name, hash and all.
#[must_use]
pub fn asset(name: &str) -> Option<Asset> {
    let found = all().iter().find(|named| named.hashed == name)?;
    Some(Asset { content_type: found.content_type, forms: &found.forms })
}
