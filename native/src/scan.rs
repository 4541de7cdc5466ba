//! The messages of a trace request, down to the fields of a span; attributes stay bytes.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::wire::{Fields, Refused};

/// What an event must contain to be a flag's evaluation.
static FLAG_MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"feature_flag"));

const STATUS_ERROR: i32 = 2;

/// The spans of one resource: its bytes, and each scope's.
#[derive(Default)]
pub struct Block<'a> {
    pub resource: &'a [u8],
    pub scopes: Vec<&'a [u8]>,
}

/// One span. Made once and filled again and again, so that its lists need no memory of their own each time.
#[derive(Default)]
pub struct RawSpan<'a> {
    pub trace_id: &'a [u8],
    pub span_id: &'a [u8],
    pub parent_id: &'a [u8],
    pub trace_state: &'a [u8],
    pub name: &'a [u8],
    pub status: &'a [u8],
    pub kind: i32,
    pub start_ns: u64,
    pub end_ns: u64,
    pub attributes: Vec<&'a [u8]>,
    pub links: Vec<&'a [u8]>,
    /// Events that may be evaluations of flags; nobody asks for others.
    pub flag_events: Vec<&'a [u8]>,
}

/// A linked span: trace and span id.
pub type Link = ([u8; 16], [u8; 8]);

/// The resources' blocks of a request.
pub fn blocks(request: &[u8]) -> Result<Vec<Block<'_>>, Refused> {
    let mut blocks = Vec::new();
    let mut fields = Fields::new(request);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            blocks.push(block(value.bytes()?)?);
        }
    }
    Ok(blocks)
}

fn block(message: &[u8]) -> Result<Block<'_>, Refused> {
    let mut block = Block::default();
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => block.resource = value.bytes()?,
            2 => block.scopes.push(value.bytes()?),
            _ => {}
        }
    }
    Ok(block)
}

impl<'a> RawSpan<'a> {
    /// Take the fields of one span's message.
    pub fn fill(&mut self, message: &'a [u8]) -> Result<(), Refused> {
        self.clear();
        let mut fields = Fields::new(message);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => self.trace_id = value.bytes()?,
                2 => self.span_id = value.bytes()?,
                3 => self.trace_state = value.bytes()?,
                4 => self.parent_id = value.bytes()?,
                5 => self.name = value.bytes()?,
                6 => self.kind = value.small()?,
                7 => self.start_ns = value.fixed64()?,
                8 => self.end_ns = value.fixed64()?,
                9 => self.attributes.push(value.bytes()?),
                11 => {
                    let event = value.bytes()?;
                    if FLAG_MARK.find(event).is_some() {
                        self.flag_events.push(event);
                    }
                }
                13 => self.links.push(value.bytes()?),
                15 => self.status = value.bytes()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        let (mut attributes, mut links, mut flag_events) = (
            std::mem::take(&mut self.attributes),
            std::mem::take(&mut self.links),
            std::mem::take(&mut self.flag_events),
        );
        attributes.clear();
        links.clear();
        flag_events.clear();
        *self = RawSpan { attributes, links, flag_events, ..RawSpan::default() };
    }

    pub fn is_error(&self) -> Result<bool, Refused> {
        let mut code = 0;
        let mut fields = Fields::new(self.status);
        while let Some((number, value)) = fields.next()? {
            if number == 3 {
                code = value.small()?;
            }
        }
        Ok(code == STATUS_ERROR)
    }

    /// The links whose ids have the right length.
    pub fn linked(&self) -> Result<Vec<Link>, Refused> {
        let mut found = Vec::new();
        for message in &self.links {
            let (mut trace_id, mut span_id): (&[u8], &[u8]) = (&[], &[]);
            let mut fields = Fields::new(message);
            while let Some((number, value)) = fields.next()? {
                match number {
                    1 => trace_id = value.bytes()?,
                    2 => span_id = value.bytes()?,
                    _ => {}
                }
            }
            if let (Ok(trace_id), Ok(span_id)) = (trace_id.try_into(), span_id.try_into()) {
                found.push((trace_id, span_id));
            }
        }
        Ok(found)
    }
}
