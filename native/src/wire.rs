//! Protobuf as it lies on the wire, read in place and strictly.
//!
//! Whatever is unusual here (groups, wire types that do not fit, numbers written longer than need be) is *refused*:
//! the portable decoder then has the word on the whole request. So this reader may be narrower than a full parser, and
//! must never be wider.

/// The bytes are not what this reader understands.
#[derive(Debug)]
pub struct Refused;

/// One field's value.
pub enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Value<'a> {
    pub fn bytes(self) -> Result<&'a [u8], Refused> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Refused),
        }
    }

    pub fn fixed64(self) -> Result<u64, Refused> {
        match self {
            Value::Fixed64(number) => Ok(number),
            _ => Err(Refused),
        }
    }

    /// A number that is the same in every integer type of protobuf.
    pub fn small(self) -> Result<i32, Refused> {
        match self {
            Value::Varint(number) => i32::try_from(number).map_err(|_| Refused),
            _ => Err(Refused),
        }
    }
}

/// Reads the fields of one message in their order.
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Fields { rest: message }
    }

    /// The next field's number and value; `None` at the end of the message.
    #[inline]
    pub fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, Refused> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.short_number()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.short_number()? as usize;
                Value::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            _ => return Err(Refused),
        };
        match tag >> 3 {
            0 => Err(Refused),
            number => Ok(Some((number, value))),
        }
    }

    /// A tag or a length: at most four bytes, and no longer than need be.
    #[inline]
    fn short_number(&mut self) -> Result<u32, Refused> {
        let mut number = 0;
        for at in 0..4 {
            let byte = *self.rest.get(at).ok_or(Refused)?;
            number |= u32::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return if byte == 0 && at > 0 { Err(Refused) } else { Ok(number) };
            }
        }
        Err(Refused)
    }

    fn varint(&mut self) -> Result<u64, Refused> {
        let mut number = 0;
        for at in 0..9 {
            let byte = *self.rest.get(at).ok_or(Refused)?;
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(number);
            }
        }
        Err(Refused)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        self.take(N)?.try_into().map_err(|_| Refused)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Refused> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Refused)?;
        self.rest = rest;
        Ok(taken)
    }
}
