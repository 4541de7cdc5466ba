//! The key of an attribute, found without parsing the rest of it.
//!
//! This mirrors the lookups of the portable `AttributeCache`, to the letter: what it decides by a prefix is decided by
//! the same prefix here.

const KEY_FIRST: u8 = 0x0a;
const ONE_BYTE_LENGTH: u8 = 0x7f;
const SCHEMES: [&[u8]; 5] = [b"https", b"http", b"wss", b"ws", b"grpc"];

/// The key of a pair that begins with it, cut where the pair ends; `None` where only a parser can tell.
#[inline]
pub fn key(pair: &[u8]) -> Option<&[u8]> {
    match pair {
        [KEY_FIRST, length @ 1..=ONE_BYTE_LENGTH, rest @ ..] if !rest.is_empty() => {
            Some(&rest[..usize::from(*length).min(rest.len())])
        }
        _ => None,
    }
}

/// Tells nearly all keys that nobody wants from the wanted ones, by their length and two of their letters.
pub struct Sieve {
    marks: Box<[bool; SIEVE_SIZE]>,
}

const SIEVE_SIZE: usize = 4_096;

impl Sieve {
    pub fn new<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Self {
        let mut marks = Box::new([false; SIEVE_SIZE]);
        for key in keys {
            marks[Sieve::mark(key)] = true;
        }
        Sieve { marks }
    }

    #[inline]
    pub fn may_hold(&self, key: &[u8]) -> bool {
        self.marks[Sieve::mark(key)]
    }

    #[inline]
    fn mark(key: &[u8]) -> usize {
        let letter = |at: usize| key.get(at).map_or(0, |letter| usize::from(*letter));
        (key.len() * 37 + letter(key.len() / 2) * 11 + letter(key.len().wrapping_sub(1)) * 173) % SIEVE_SIZE
    }
}

/// Scheme, host and port of the URL in a pair of a known key, if the pair is laid out as all encoders do it.
pub fn server_of_url(pair: &[u8]) -> Option<&[u8]> {
    let rest = pair.get(10..)?; // behind tag, length and the eight letters of either key
    if pair[1] != 8 {
        return None;
    }
    let url = after_size(after_size(rest, 0x12)?, KEY_FIRST)?;
    let scheme =
        SCHEMES.iter().find(|scheme| url.strip_prefix(**scheme).is_some_and(|tail| tail.starts_with(b"://")))?;
    let host = scheme.len() + 3;
    let end = url[host..].iter().position(|byte| ends_host(*byte)).map_or(url.len(), |at| host + at);
    Some(&url[..end])
}

fn ends_host(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b' ' | b'\t'..=b'\r')
}

/// What follows a tag and a length of one or two bytes.
fn after_size(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    match bytes {
        [first, 0..=0x7f, rest @ ..] if *first == tag => Some(rest),
        [first, 0x80..=0xff, 0..=0x7f, rest @ ..] if *first == tag => Some(rest),
        _ => None,
    }
}
