//! Requests of spans in protobuf to batches.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::batch::{Batch, Row};
use crate::memory::Memory;
use crate::scan::{RawSpan, blocks};
use crate::wire::{Fields, Refused};

const CONSUMER: i32 = 5;
/// As most spans have at least; a guess for memory to begin with.
const BYTES_OF_A_SPAN: usize = 400;
const CLOCK_NOISE_NS: u64 = 1_000_000_000;

/// Why spans are refused one by one; the order is that of `Decoded`'s counts.
#[derive(Clone, Copy)]
enum Fault {
    UnknownService,
    ZeroTraceId,
    ZeroSpanId,
    BadIdLength,
    BadTime,
}

const FAULTS: usize = 5;

/// Why the whole request is left to the portable decoder, or fails.
enum Stop {
    Refused,
    Raised(PyErr),
}

impl From<Refused> for Stop {
    fn from(_: Refused) -> Self {
        Stop::Refused
    }
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Stop::Raised(error)
    }
}

/// Batch, counts by fault, and warnings by name.
type Decoded = (Batch, [u64; FAULTS], Vec<(String, u64)>);

/// Reads requests; remembers what it saw.
#[pyclass(frozen, module = "whence._native")]
pub struct Decoder {
    state: Mutex<State>,
}

struct State {
    memory: Memory,
    requests: u64,
}

#[pymethods]
impl Decoder {
    /// Args: what to ask on a miss, and the keys of attributes that are wanted.
    #[new]
    fn new(resolver: Py<PyAny>, keys: Vec<Vec<u8>>) -> Self {
        Decoder { state: Mutex::new(State { memory: Memory::new(resolver, keys), requests: 0 }) }
    }

    /// The batch of a request, its refused spans by fault, and its warnings; `None` when it is not understood.
    fn decode(&self, py: Python<'_>, body: &[u8], latest_ns: i64, max_spans: usize) -> PyResult<Option<Decoded>> {
        // The lock is taken without the interpreter's, which its holder may be waiting for.
        let read = py.detach(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.decode(body, u64::try_from(latest_ns).unwrap_or(0), max_spans)
        });
        match read {
            Ok(decoded) => Ok(Some(decoded)),
            Err(Stop::Refused) => Ok(None),
            Err(Stop::Raised(error)) => Err(error),
        }
    }
}

impl State {
    fn decode(&mut self, body: &[u8], latest_ns: u64, max_spans: usize) -> Result<Decoded, Stop> {
        Python::attach(|py| self.memory.forget_when_large(py));
        self.requests += 1;
        let mut reader = Reader {
            memory: &mut self.memory,
            request: self.requests,
            latest_ns,
            max_spans,
            spans: 0,
            rows: Vec::with_capacity(body.len() / BYTES_OF_A_SPAN),
            met: Vec::new(),
            spans_of: Vec::new(),
            faults: [0; FAULTS],
            warned: BTreeMap::new(),
            stated_by: Vec::new(),
        };
        reader.read(body)?;
        Ok(reader.finish())
    }
}

/// One request on its way.
struct Reader<'m> {
    memory: &'m mut Memory,
    request: u64,
    latest_ns: u64,
    max_spans: usize,
    spans: usize,
    rows: Vec<Row>,
    /// Shapes by their number in this request.
    met: Vec<u32>,
    /// How many spans each of them has.
    spans_of: Vec<u64>,
    faults: [u64; FAULTS],
    warned: BTreeMap<String, u64>,
    stated_by: Vec<u32>,
}

impl Reader<'_> {
    fn read(&mut self, body: &[u8]) -> Result<(), Stop> {
        let mut span = RawSpan::default();
        for block in blocks(body)? {
            let source = self.memory.source(block.resource)?;
            for (name, count) in &source.warnings {
                *self.warned.entry(name.clone()).or_default() += count;
            }
            let source = source.source;
            for scope in block.scopes {
                let mut fields = Fields::new(scope);
                while let Some((number, value)) = fields.next()? {
                    if number == 2 {
                        span.fill(value.bytes()?)?;
                        self.take(&span, source)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, span: &RawSpan<'_>, source: Option<u32>) -> Result<(), Stop> {
        self.spans += 1;
        if self.spans > self.max_spans {
            return Err(Stop::Refused);
        }
        let Some(source) = source else {
            self.faults[Fault::UnknownService as usize] += 1;
            return Ok(());
        };
        let mut row = match checked(span, self.latest_ns) {
            Ok(row) => row,
            Err(fault) => {
                self.faults[fault as usize] += 1;
                return Ok(());
            }
        };
        self.memory.stated_by(span.kind, &span.attributes, &mut self.stated_by)?;
        let part = if span.flag_events.is_empty() {
            self.memory.part(&self.stated_by, span.name)?
        } else {
            self.memory.flagged_part(&self.stated_by, span.name, &span.flag_events)?
        };
        let shape = self.memory.shape(source, part)?;
        row.shape = self.memory.meet(shape, self.request, &mut self.met);
        self.spans_of.resize(self.met.len(), 0);
        self.spans_of[row.shape as usize] += 1;
        row.is_error = span.is_error()?;
        row.weight = self.memory.weight(span.trace_state)?;
        if span.kind == CONSUMER && !span.links.is_empty() {
            row.links = Some(span.linked()?.into());
        }
        self.rows.push(row);
        Ok(())
    }

    fn finish(mut self) -> Decoded {
        for (shape, spans) in self.met.iter().zip(&self.spans_of) {
            for (name, count) in self.memory.warnings(*shape) {
                *self.warned.entry(name.clone()).or_default() += count * spans;
            }
        }
        let shapes = Python::attach(|py| self.met.iter().map(|shape| self.memory.tuple(py, *shape)).collect());
        (Batch { rows: self.rows, shapes }, self.faults, self.warned.into_iter().collect())
    }
}

/// The ids and times of a span, if it can be used.
fn checked(span: &RawSpan<'_>, latest_ns: u64) -> Result<Row, Fault> {
    let is_zero = |id: &[u8], length| id.is_empty() || id.len() == length && id.iter().all(|byte| *byte == 0);
    if is_zero(span.trace_id, 16) {
        return Err(Fault::ZeroTraceId);
    }
    if is_zero(span.span_id, 8) {
        return Err(Fault::ZeroSpanId);
    }
    let parent_id = if span.parent_id.is_empty() { &[0; 8] } else { span.parent_id };
    let (Ok(trace_id), Ok(span_id), Ok(parent_id)) =
        (span.trace_id.try_into(), span.span_id.try_into(), parent_id.try_into())
    else {
        return Err(Fault::BadIdLength);
    };
    let has_started = 0 < span.start_ns && span.start_ns <= latest_ns;
    if !has_started || span.end_ns > latest_ns || span.end_ns.saturating_add(CLOCK_NOISE_NS) < span.start_ns {
        return Err(Fault::BadTime);
    }
    Ok(Row {
        trace_id,
        span_id: u64::from_be_bytes(span_id),
        parent_id: u64::from_be_bytes(parent_id),
        start_ns: span.start_ns as i64,
        end_ns: span.end_ns.max(span.start_ns) as i64,
        weight: 1.0,
        links: None,
        shape: 0,
        is_error: false,
    })
}
