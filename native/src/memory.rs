//! What was seen before and may come again, by its bytes.
//!
//! The meaning of resources and attributes is worked out in Python, by the same code as on the portable path; here only
//! its answers are kept. All of it is bounded: see `Memory::forget_when_large`.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::attribute::{self, Sieve};

pub type Map<K, V> = HashMap<K, V, RandomState>;
type Bytes = Box<[u8]>;

const MAX_OF_A_KIND: usize = 65_536;
/// Values of one attribute that are kept: one that keeps changing must not push out the others.
const MAX_VALUES_OF_A_KEY: u32 = 4_096;
const MAX_KEPT_BYTES: usize = 512;

/// No attribute: nobody wants it, or its value is empty.
const NONE: u32 = 0;
const URL_KEYS: [&[u8]; 2] = [b"url.full", b"http.url"];

/// What a request was warned about: name and count.
pub type Warnings = Vec<(String, u64)>;

/// A resource's service, if it names one.
pub struct Source {
    pub source: Option<u32>,
    pub warnings: Warnings,
}

/// What spans of one kind and the same attributes have in common.
enum Stated {
    Known(u32),
    /// The span's name has a say.
    ByName(Map<Bytes, u32>),
}

struct Part {
    facts: Py<PyAny>,
    operation: Py<PyAny>,
    kind: i32,
    warnings: Warnings,
}

struct Shape {
    tuple: Py<PyTuple>,
    part: u32,
    /// The request that met it last, and its number there.
    met_in: u64,
    number: u32,
}

/// What Python is asked on a miss; see `whence.otlp.resolver`.
pub struct Memory {
    resolver: Py<PyAny>,
    sieve: Sieve,
    wanted: Map<Bytes, u32>,
    resources: Map<Bytes, u32>,
    resolved: Vec<Source>,
    sources: Objects,
    attributes: Objects,
    attribute_of: Map<Bytes, u32>,
    kept_of_key: Vec<u32>,
    url_of: [Map<Bytes, u32>; 2],
    stated: Map<Box<[u32]>, Stated>,
    parts: Vec<Part>,
    part_of: Map<(usize, usize, i32), u32>,
    shape_of: Map<(u32, u32), u32>,
    shapes: Vec<Shape>,
    weights: Map<Bytes, f64>,
}

/// Python objects by number, each once.
#[derive(Default)]
struct Objects {
    list: Vec<Py<PyAny>>,
    number_of: Map<usize, u32>,
}

impl Objects {
    /// Numbers begin with 1.
    fn number(&mut self, object: &Bound<'_, PyAny>) -> u32 {
        *self.number_of.entry(object.as_ptr() as usize).or_insert_with(|| {
            self.list.push(object.clone().unbind());
            self.list.len() as u32
        })
    }

    fn get(&self, number: u32) -> &Py<PyAny> {
        &self.list[number as usize - 1]
    }
}

impl Memory {
    pub fn new(resolver: Py<PyAny>, keys: Vec<Vec<u8>>) -> Self {
        let kept_of_key = vec![0; keys.len()];
        let sieve = Sieve::new(keys.iter().map(Vec::as_slice));
        let wanted = keys.into_iter().zip(0..).map(|(key, number)| (key.into(), number)).collect();
        Memory {
            resolver,
            sieve,
            wanted,
            kept_of_key,
            resources: Map::default(),
            resolved: Vec::new(),
            sources: Objects::default(),
            attributes: Objects::default(),
            attribute_of: Map::default(),
            url_of: [Map::default(), Map::default()],
            stated: Map::default(),
            parts: Vec::new(),
            part_of: Map::default(),
            shape_of: Map::default(),
            shapes: Vec::new(),
            weights: Map::default(),
        }
    }

    /// Start afresh once anything has become large. Numbers given out before mean nothing afterwards.
    pub fn forget_when_large(&mut self, py: Python<'_>) {
        let sizes = [
            self.resources.len(),
            self.attributes.list.len(),
            self.attribute_of.len(),
            self.url_of[0].len() + self.url_of[1].len(),
            self.stated.len(),
            self.parts.len(),
            self.shapes.len(),
            self.weights.len(),
        ];
        if sizes.into_iter().any(|size| size > MAX_OF_A_KIND) {
            let mut keys = vec![Vec::new(); self.wanted.len()];
            for (key, number) in &self.wanted {
                keys[*number as usize] = key.to_vec();
            }
            *self = Memory::new(self.resolver.clone_ref(py), keys);
        }
    }

    /// The source of a resource.
    pub fn source(&mut self, resource: &[u8]) -> PyResult<&Source> {
        let number = match self.resources.get(resource) {
            Some(number) => *number,
            None => {
                let found = Python::attach(|py| -> PyResult<Source> {
                    let answer = self.resolver.call_method1(py, "source", (PyBytes::new(py, resource),))?;
                    let (source, warnings): (Option<Bound<'_, PyAny>>, Warnings) = answer.extract(py)?;
                    Ok(Source { source: source.map(|source| self.sources.number(&source)), warnings })
                })?;
                let number = self.resolved.len() as u32;
                self.resolved.push(found);
                self.resources.insert(resource.into(), number);
                number
            }
        };
        Ok(&self.resolved[number as usize])
    }

    /// The numbers of those attributes of a span that are wanted, behind its kind: what its facts are looked up by.
    pub fn stated_by(&mut self, kind: i32, attributes: &[&[u8]], found: &mut Vec<u32>) -> PyResult<()> {
        found.clear();
        found.push(kind as u32);
        for pair in attributes {
            let number = self.attribute(pair)?;
            if number != NONE {
                found.push(number);
            }
        }
        Ok(())
    }

    fn attribute(&mut self, pair: &[u8]) -> PyResult<u32> {
        let Some(key) = attribute::key(pair) else {
            return self.ask_attribute(pair);
        };
        if !self.sieve.may_hold(key) {
            return Ok(NONE);
        }
        if let Some(number) = self.attribute_of.get(pair) {
            return Ok(*number);
        }
        let Some(key_number) = self.wanted.get(key).copied() else {
            return Ok(NONE);
        };
        if let Some(which) = URL_KEYS.iter().position(|url_key| *url_key == key) {
            return self.url(which, pair);
        }
        let number = self.ask_attribute(pair)?;
        let kept = &mut self.kept_of_key[key_number as usize];
        if pair.len() <= MAX_KEPT_BYTES && *kept < MAX_VALUES_OF_A_KEY {
            *kept += 1;
            self.attribute_of.insert(pair.into(), number);
        }
        Ok(number)
    }

    /// URLs never repeat, but what is kept of them does.
    fn url(&mut self, which: usize, pair: &[u8]) -> PyResult<u32> {
        let Some(server) = attribute::server_of_url(pair) else {
            return self.ask_attribute(pair);
        };
        if let Some(number) = self.url_of[which].get(server) {
            return Ok(*number);
        }
        let number = self.ask_attribute(pair)?;
        if server.len() <= MAX_KEPT_BYTES {
            self.url_of[which].insert(server.into(), number);
        }
        Ok(number)
    }

    fn ask_attribute(&mut self, pair: &[u8]) -> PyResult<u32> {
        Python::attach(|py| {
            let answer = self.resolver.call_method1(py, "attribute", (PyBytes::new(py, pair),))?;
            let answer = answer.bind(py);
            Ok(if answer.is_none() { NONE } else { self.attributes.number(answer) })
        })
    }

    /// The number of the part that spans of this kind, attributes and name have.
    pub fn part(&mut self, stated_by: &[u32], name: &[u8]) -> PyResult<u32> {
        match self.stated.get(stated_by) {
            Some(Stated::Known(part)) => return Ok(*part),
            Some(Stated::ByName(parts)) => {
                if let Some(part) = parts.get(name) {
                    return Ok(*part);
                }
            }
            None => {
                let stated = match self.ask_part("stated", stated_by, None)? {
                    Some(part) => Stated::Known(part),
                    None => Stated::ByName(Map::default()),
                };
                self.stated.insert(stated_by.into(), stated);
                return self.part(stated_by, name);
            }
        }
        let part = self.ask_part("named", stated_by, Some(name))?.unwrap_or_default();
        if let (true, Some(Stated::ByName(parts))) = (name.len() <= MAX_KEPT_BYTES, self.stated.get_mut(stated_by)) {
            parts.insert(name.into(), part);
        }
        Ok(part)
    }

    /// The same for a span with events that may be evaluations of flags.
    pub fn flagged_part(&mut self, stated_by: &[u32], name: &[u8], events: &[&[u8]]) -> PyResult<u32> {
        Python::attach(|py| {
            let (kind, attributes) = self.attributes(py, stated_by)?;
            let events = events.iter().map(|event| PyBytes::new(py, event)).collect::<Vec<_>>();
            let arguments = (kind, attributes, PyBytes::new(py, name), events);
            let answer = self.resolver.call_method1(py, "flagged", arguments)?;
            self.keep_part(kind, answer.bind(py))
        })
    }

    fn ask_part(&mut self, method: &str, stated_by: &[u32], name: Option<&[u8]>) -> PyResult<Option<u32>> {
        Python::attach(|py| {
            let (kind, attributes) = self.attributes(py, stated_by)?;
            let answer = match name {
                Some(name) => self.resolver.call_method1(py, method, (kind, attributes, PyBytes::new(py, name)))?,
                None => self.resolver.call_method1(py, method, (kind, attributes))?,
            };
            let answer = answer.bind(py);
            if answer.is_none() { Ok(None) } else { self.keep_part(kind, answer).map(Some) }
        })
    }

    fn attributes<'py>(&self, py: Python<'py>, stated_by: &[u32]) -> PyResult<(i32, Bound<'py, PyTuple>)> {
        let (kind, numbers) = stated_by.split_first().map_or((0, &[][..]), |(kind, rest)| (*kind as i32, rest));
        let attributes = numbers.iter().map(|number| self.attributes.get(*number).bind(py));
        Ok((kind, PyTuple::new(py, attributes.collect::<Vec<_>>())?))
    }

    fn keep_part(&mut self, kind: i32, answer: &Bound<'_, PyAny>) -> PyResult<u32> {
        let (facts, operation, warnings): (Bound<'_, PyAny>, Bound<'_, PyAny>, Warnings) = answer.extract()?;
        let key = (facts.as_ptr() as usize, operation.as_ptr() as usize, kind);
        if let (true, Some(part)) = (warnings.is_empty(), self.part_of.get(&key)) {
            return Ok(*part);
        }
        let number = self.parts.len() as u32;
        if warnings.is_empty() {
            self.part_of.insert(key, number);
        }
        self.parts.push(Part { facts: facts.unbind(), operation: operation.unbind(), kind, warnings });
        Ok(number)
    }

    /// The number of the shape that such spans of a source have, for `meet`.
    pub fn shape(&mut self, source: u32, part: u32) -> PyResult<u32> {
        if let Some(shape) = self.shape_of.get(&(source, part)) {
            return Ok(*shape);
        }
        let tuple = Python::attach(|py| -> PyResult<Py<PyTuple>> {
            let (source, part) = (self.sources.get(source).clone_ref(py), &self.parts[part as usize]);
            let fields = (source, part.facts.clone_ref(py), part.operation.clone_ref(py), part.kind);
            Ok(fields.into_pyobject(py)?.unbind())
        })?;
        let number = self.shapes.len() as u32;
        self.shapes.push(Shape { tuple, part, met_in: 0, number: 0 });
        self.shape_of.insert((source, part), number);
        Ok(number)
    }

    /// The number of a shape within one request (any number but 0); `met` lists the shapes that it met so far.
    pub fn meet(&mut self, shape: u32, request: u64, met: &mut Vec<u32>) -> u32 {
        let known = &mut self.shapes[shape as usize];
        if known.met_in != request {
            known.met_in = request;
            known.number = met.len() as u32;
            met.push(shape);
        }
        known.number
    }

    pub fn warnings(&self, shape: u32) -> &Warnings {
        &self.parts[self.shapes[shape as usize].part as usize].warnings
    }

    /// Source, facts, operation and kind of a shape, and its kind.
    pub fn tuple(&self, py: Python<'_>, shape: u32) -> (Py<PyTuple>, i32) {
        let shape = &self.shapes[shape as usize];
        (shape.tuple.clone_ref(py), self.parts[shape.part as usize].kind)
    }

    /// Requests that a span of this trace state stands for.
    pub fn weight(&mut self, trace_state: &[u8]) -> PyResult<f64> {
        if trace_state.is_empty() {
            return Ok(1.0);
        }
        if let Some(weight) = self.weights.get(trace_state) {
            return Ok(*weight);
        }
        let weight = Python::attach(|py| {
            self.resolver.call_method1(py, "weight", (PyBytes::new(py, trace_state),))?.extract(py)
        })?;
        if trace_state.len() <= MAX_KEPT_BYTES {
            self.weights.insert(trace_state.into(), weight);
        }
        Ok(weight)
    }
}
