//! Tells code, comments and string literals of Rust apart, without parsing it.
//!
//! Each view is the source with everything else blanked, so that offsets and lines stay the same. Raw
//! strings, nested block comments, character literals and lifetimes are known; macros are plain code.

/// The three views of one source.
#[derive(Debug)]
pub struct Masked {
    /// The code; comments and the insides of literals are blanks.
    pub code: String,
    /// The comments; everything else is blanks.
    pub comments: String,
    /// The string literals: line (from 1), offset of the opening, content as written.
    pub strings: Vec<Literal>,
}

/// One string literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// Its line, from 1.
    pub line: usize,
    /// Where its content begins, in bytes from the beginning of the source.
    pub offset: usize,
    /// What is between the quotes, escapes as written.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Masked {
    /// Reads `source` once.
    pub fn new(source: &str) -> Self {
        let mut scanner = Scanner {
            bytes: source.as_bytes(),
            kinds: Vec::with_capacity(source.len()),
            literals: Vec::new(),
        };
        while scanner.kinds.len() < source.len() {
            scanner.step();
        }
        let kinds = &scanner.kinds;
        let strings = scanner.literals.iter().map(|&(from, to)| Literal {
            line: line_of(source, from),
            offset: from,
            text: source.get(from..to).unwrap_or_default().to_owned(),
        });
        Self {
            code: view(source, kinds, Kind::Code),
            comments: view(source, kinds, Kind::Comment),
            strings: strings.collect(),
        }
    }
}

/// The line, from 1, of this offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

fn view(source: &str, kinds: &[Kind], wanted: Kind) -> String {
    let shown = source
        .bytes()
        .zip(kinds)
        .map(|(byte, &kind)| if kind == wanted || byte == b'\n' { byte } else { b' ' });
    String::from_utf8_lossy(&shown.collect::<Vec<u8>>()).into_owned()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    kinds: Vec<Kind>,
    literals: Vec<(usize, usize)>,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let rest = self.rest();
        if rest.starts_with(b"//") {
            let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            self.take(length, Kind::Comment);
        } else if rest.starts_with(b"/*") {
            self.take(block_comment(rest), Kind::Comment);
        } else if let Some((opening, hashes)) = self.raw_opening() {
            self.raw_string(opening, hashes);
        } else if rest.first() == Some(&b'"') {
            self.string();
        } else if rest.first() == Some(&b'\'') {
            let length = character(rest);
            self.take(1, Kind::Code);
            self.take(length, Kind::Literal);
        } else {
            self.take(1, Kind::Code);
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.kinds.len()..).unwrap_or_default()
    }

    fn take(&mut self, length: usize, kind: Kind) {
        let end = (self.kinds.len() + length).min(self.bytes.len());
        self.kinds.resize(end, kind);
    }

    /// The length of `r"`, `br##"` and their like here, and the number of hashes.
    fn raw_opening(&self) -> Option<(usize, usize)> {
        let before = self.kinds.len().checked_sub(1).and_then(|at| self.bytes.get(at));
        if before.is_some_and(|&byte| is_word(byte)) {
            return None;
        }
        let rest = self.rest();
        let prefix = [&b"r"[..], b"br", b"cr"].into_iter().find(|prefix| rest.starts_with(prefix))?;
        let after = rest.get(prefix.len()..)?;
        let hashes = after.iter().take_while(|&&byte| byte == b'#').count();
        (after.get(hashes) == Some(&b'"')).then_some((prefix.len() + hashes + 1, hashes))
    }

    fn raw_string(&mut self, opening: usize, hashes: usize) {
        self.take(opening, Kind::Code);
        let closing: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
        let rest = self.rest();
        let length = rest.windows(closing.len()).position(|window| window == closing).unwrap_or(rest.len());
        self.content(length);
        self.take(closing.len(), Kind::Code);
    }

    fn string(&mut self) {
        self.take(1, Kind::Code);
        let rest = self.rest();
        let mut length = 0;
        while let Some(&byte) = rest.get(length).filter(|&&byte| byte != b'"') {
            length += if byte == b'\\' { 2 } else { 1 };
        }
        self.content(length);
        self.take(1, Kind::Code);
    }

    fn content(&mut self, length: usize) {
        let from = self.kinds.len();
        self.take(length, Kind::Literal);
        self.literals.push((from, self.kinds.len()));
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// How many bytes after this quote belong to a character literal; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let closing = rest.iter().skip(3).position(|&byte| byte == b'\'');
        return closing.map_or(0, |at| at + 3);
    }
    let closing = rest.iter().take(6).skip(2).position(|&byte| byte == b'\'').map(|at| at + 2);
    closing.filter(|&at| at == 2 || rest.get(1).is_some_and(|byte| !byte.is_ascii())).unwrap_or(0)
}

/// Whether this byte may be inside an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
