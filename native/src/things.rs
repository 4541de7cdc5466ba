//! What the spans of a writer talk about, as numbers that its catalog in Python gives out; see `whence.fold.catalog`.

use std::cmp::Ordering;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::batch::Row;
use crate::memory::Map;

const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;
const INTERNAL: i32 = 1;
const UNNUMBERED: u32 = u32::MAX;
const MIN_FORGOTTEN: usize = 65_536;

/// A relation and the node at its far end, both by number.
type Edge = (u32, u32);

/// A shape as the catalog describes it.
#[derive(FromPyObject)]
struct Described {
    number: u32,
    operation: u32,
    origin: u32,
    service: String,
    entry: u32,
    peer: Option<Edge>,
    poor: bool,
    takes_messages: bool,
    nodes: Vec<u32>,
    edges: Vec<Edge>,
    standing: Vec<Edge>,
    used: Vec<u32>,
    made: Vec<u32>,
}

/// What all spans of one source, facts, operation and kind have in common.
pub struct Shape {
    pub operation: u32,
    pub origin: u32,
    pub service: u32,
    pub entry: u32,
    pub peer: Option<Edge>,
    pub poor: bool,
    pub takes_messages: bool,
    pub kind: i32,
    pub nodes: Vec<u32>,
    /// All relations that such a span states, in the order of the statement.
    pub stated: Vec<Edge>,
    /// The same to count over: of several to one node, one.
    pub edges: Vec<u32>,
    pub standing: Vec<u32>,
    pub used: Vec<u32>,
    pub made: Vec<u32>,
}

impl Shape {
    pub fn is_caller(&self) -> bool {
        matches!(self.kind, CLIENT | PRODUCER)
    }

    pub fn is_consumer(&self) -> bool {
        self.kind == CONSUMER
    }

    pub fn is_producer(&self) -> bool {
        self.kind == PRODUCER
    }

    /// Whether a request came in with such a span, when its parent is missing: others have theirs in the same process.
    pub fn can_be_entered(&self) -> bool {
        !matches!(self.kind, INTERNAL | CLIENT | PRODUCER)
    }
}

/// Of several edges to one node the first counts, at the place of the last.
fn one_for_each_node(edges: &[Edge]) -> Vec<u32> {
    let mut kept: Vec<Edge> = Vec::new();
    for edge in edges.iter().rev() {
        match kept.iter_mut().find(|present| present.1 == edge.1) {
            Some(present) => present.0 = edge.0,
            None => kept.push(*edge),
        }
    }
    kept.into_iter().map(|edge| edge.0).collect()
}

/// Shapes as tuples (source, facts, operation, kind) that rows refer to by number.
pub struct Tuples {
    list: Vec<Tuple>,
    number_of: Map<usize, u32>,
    kept_last: usize,
}

struct Tuple {
    tuple: Py<PyTuple>,
    kind: i32,
    /// Number in the catalog of the present writer.
    shape: u32,
}

impl Tuples {
    pub fn new() -> Self {
        Tuples { list: Vec::new(), number_of: Map::default(), kept_last: 0 }
    }

    pub fn number(&mut self, tuple: Py<PyTuple>, kind: i32) -> u32 {
        *self.number_of.entry(tuple.as_ptr() as usize).or_insert_with(|| {
            self.list.push(Tuple { tuple, kind, shape: UNNUMBERED });
            self.list.len() as u32 - 1
        })
    }

    pub fn all(&self, py: Python<'_>) -> Vec<(Py<PyTuple>, i32)> {
        self.list.iter().map(|one| (one.tuple.clone_ref(py), one.kind)).collect()
    }

    pub fn tuple(&self, number: u32) -> &Py<PyTuple> {
        &self.list[number as usize].tuple
    }

    pub fn forget_writer(&mut self) {
        for tuple in &mut self.list {
            tuple.shape = UNNUMBERED;
        }
    }

    pub fn is_large(&self) -> bool {
        self.list.len() > MIN_FORGOTTEN.max(2 * self.kept_last)
    }

    /// Keep those that rows refer to, and tell the rows their new numbers.
    pub fn keep_used<'r>(&mut self, rows: impl Iterator<Item = &'r mut Row>) {
        let mut old: Vec<Option<Tuple>> = std::mem::take(&mut self.list).into_iter().map(Some).collect();
        let mut moved = vec![UNNUMBERED; old.len()];
        for row in rows {
            let place = row.shape as usize;
            if let Some(tuple) = old[place].take() {
                moved[place] = self.list.len() as u32;
                self.list.push(tuple);
            }
            row.shape = moved[place];
        }
        let numbers = self.list.iter().zip(0..);
        self.number_of = numbers.map(|(tuple, number)| (tuple.tuple.as_ptr() as usize, number)).collect();
        self.kept_last = self.list.len();
    }

    /// The order of two spans of one id, as that of their tuples in Python.
    pub fn order(&self, left: &Row, right: &Row) -> PyResult<Ordering> {
        let (tuples, same) = ((self.tuple(left.shape), self.tuple(right.shape)), left.shape == right.shape);
        let by_item = |at: usize| -> PyResult<Ordering> {
            if same {
                return Ok(Ordering::Equal);
            }
            Python::attach(|py| tuples.0.bind(py).get_item(at)?.compare(tuples.1.bind(py).get_item(at)?))
        };
        let (source, facts, operation, kind) = (0, 1, 2, 3);
        let mut order = left.parent_id.cmp(&right.parent_id).then(by_item(kind)?).then(by_item(operation)?);
        order = order.then(left.start_ns.cmp(&right.start_ns)).then(left.end_ns.cmp(&right.end_ns));
        order = order.then(left.is_error.cmp(&right.is_error)).then(left.weight.total_cmp(&right.weight));
        order = order.then(by_item(source)?).then(by_item(facts)?);
        Ok(order.then_with(|| left.links.as_deref().unwrap_or(&[]).cmp(right.links.as_deref().unwrap_or(&[]))))
    }
}

/// How one service version depends on another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    Calls,
    Consumes,
}

/// The catalog of the present writer.
pub struct Catalog {
    catalog: Py<PyAny>,
    pub shapes: Vec<Shape>,
    /// One more than the highest number of a node.
    pub nodes: u32,
    services: Map<String, u32>,
    between: Map<(Relation, u32, u32), u32>,
    /// By entry, then by node.
    exposure_of: Vec<Vec<u32>>,
    /// Entry and node of each exposure; node 0 stands for none, others are one more than their number.
    pub exposures: Vec<(u32, u32)>,
}

impl Catalog {
    pub fn new(catalog: Py<PyAny>) -> Self {
        Catalog {
            catalog,
            shapes: Vec::new(),
            nodes: 0,
            services: Map::default(),
            between: Map::default(),
            exposure_of: Vec::new(),
            exposures: Vec::new(),
        }
    }

    /// Number of the shape of rows of a tuple, learned now if it is new.
    pub fn shape(&mut self, tuples: &mut Tuples, tuple: u32, known_ns: i64) -> PyResult<u32> {
        let known = &mut tuples.list[tuple as usize];
        if known.shape == UNNUMBERED {
            let described: Described = Python::attach(|py| {
                self.catalog.call_method1(py, "shape", (known.tuple.clone_ref(py), known_ns))?.extract(py)
            })?;
            known.shape = described.number;
            if described.number as usize == self.shapes.len() {
                let shape = self.described(described, known.kind);
                self.shapes.push(shape);
            }
        }
        Ok(known.shape)
    }

    fn described(&mut self, one: Described, kind: i32) -> Shape {
        let next = self.services.len() as u32;
        let service = *self.services.entry(one.service).or_insert(next);
        let seen = one.nodes.iter().copied().chain(one.peer.map(|peer| peer.1));
        self.nodes = seen.map(|node| node + 1).fold(self.nodes, u32::max);
        Shape {
            operation: one.operation,
            origin: one.origin,
            service,
            entry: one.entry,
            peer: one.peer,
            poor: one.poor,
            takes_messages: one.takes_messages,
            kind,
            nodes: one.nodes,
            edges: one_for_each_node(&one.edges),
            stated: one.edges,
            standing: one_for_each_node(&one.standing),
            used: one.used,
            made: one.made,
        }
    }

    /// Number of the relation between two origins, if it is known already.
    pub fn between(&self, relation: Relation, near: u32, far: u32) -> Option<u32> {
        self.between.get(&(relation, near, far)).copied()
    }

    /// Learn of it.
    pub fn relate(&mut self, relation: Relation, near: u32, far: u32, known_ns: i64) -> PyResult<()> {
        let method = match relation {
            Relation::Calls => "calls",
            Relation::Consumes => "consumes",
        };
        let arguments = (near, far, known_ns);
        let number = Python::attach(|py| self.catalog.call_method1(py, method, arguments)?.extract(py))?;
        self.between.insert((relation, near, far), number);
        Ok(())
    }

    /// Number of the exposure of an entry to a node, 0 for none, else one more than its number.
    pub fn exposure(&mut self, entry: u32, node: u32) -> u32 {
        let (row, column) = (entry as usize, node as usize);
        if row >= self.exposure_of.len() {
            self.exposure_of.resize(row + 1, Vec::new());
        }
        let numbers = &mut self.exposure_of[row];
        if column >= numbers.len() {
            numbers.resize((column + 1).max(2 * numbers.len()), UNNUMBERED);
        }
        if numbers[column] == UNNUMBERED {
            numbers[column] = self.exposures.len() as u32;
            self.exposures.push((entry, node));
        }
        numbers[column]
    }
}
