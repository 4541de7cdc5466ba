//! The spans of many closed traces: who is whose parent, and what that makes of each; see `whence.fold.forest`.

use crate::batch::Row;
use crate::things::Shape;
use crate::traces::ClosedTrace;

pub const NONE: u32 = u32::MAX;

/// What a span is to its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    Root,
    /// Waited for, in the same service version.
    Own,
    /// Waited for, in another one: a call.
    Remote,
    /// A message from another service version.
    Delivered,
    /// A message that a service version sent to itself.
    Redelivered,
}

impl Tie {
    pub fn is_waited(self) -> bool {
        matches!(self, Tie::Own | Tie::Remote)
    }
}

/// Spans by position, and columns beside them.
pub struct Forest {
    pub rows: Vec<Row>,
    /// Number of the trace.
    pub trace: Vec<u32>,
    /// When the trace of a span was closed.
    pub known_ns: Vec<i64>,
    pub parent: Vec<u32>,
    /// Filled in by `tie`, when shapes are known.
    pub ties: Vec<Tie>,
    /// Positions, deepest first, and in order within a depth.
    pub from_the_deepest: Vec<u32>,
}

impl Forest {
    pub fn new(traces: Vec<ClosedTrace>) -> Self {
        let size = traces.iter().map(|trace| trace.rows.len()).sum();
        let mut forest = Forest {
            rows: Vec::with_capacity(size),
            trace: Vec::with_capacity(size),
            known_ns: Vec::with_capacity(size),
            parent: Vec::with_capacity(size),
            ties: Vec::new(),
            from_the_deepest: Vec::new(),
        };
        for (trace, number) in traces.into_iter().zip(0..) {
            forest.add(trace, number);
        }
        forest.sort_by_depth();
        forest
    }

    fn add(&mut self, trace: ClosedTrace, number: u32) {
        let first = self.rows.len() as u32;
        let mut place_of: Vec<(u64, u32)> = trace.rows.iter().map(|row| row.span_id).zip(first..).collect();
        place_of.sort_unstable();
        for row in &trace.rows {
            let found = place_of.binary_search_by_key(&row.parent_id, |entry| entry.0);
            self.parent.push(if row.parent_id == 0 { NONE } else { found.map_or(NONE, |at| place_of[at].1) });
        }
        self.trace.resize(self.trace.len() + trace.rows.len(), number);
        self.known_ns.resize(self.known_ns.len() + trace.rows.len(), trace.due_ns);
        self.rows.extend(trace.rows);
    }

    fn sort_by_depth(&mut self) {
        let depth = self.depths();
        let mut starts = vec![0u32; depth.iter().max().map_or(0, |deepest| *deepest as usize + 2)];
        let deepest = starts.len().saturating_sub(2);
        for one in &depth {
            starts[deepest - *one as usize + 1] += 1;
        }
        for level in 1..starts.len() {
            starts[level] += starts[level - 1];
        }
        self.from_the_deepest = vec![0; depth.len()];
        for (one, at) in depth.iter().zip(0..) {
            let place = &mut starts[deepest - *one as usize];
            self.from_the_deepest[*place as usize] = at;
            *place += 1;
        }
    }

    /// How many ancestors each span has. Circles, which broken propagation can make, are cut open on the way.
    fn depths(&mut self) -> Vec<u32> {
        let mut depth = vec![NONE; self.rows.len()];
        let mut walked_from = vec![NONE; self.rows.len()];
        let mut path = Vec::new();
        for start in 0..self.rows.len() as u32 {
            let mut at = start;
            while at != NONE && depth[at as usize] == NONE {
                if walked_from[at as usize] == start {
                    self.cut_circle(at);
                    path.iter().for_each(|one: &u32| walked_from[*one as usize] = NONE);
                    path.clear();
                    at = start;
                    continue;
                }
                walked_from[at as usize] = start;
                path.push(at);
                at = self.parent[at as usize];
            }
            let mut next = if at == NONE { 0 } else { depth[at as usize] + 1 };
            while let Some(at) = path.pop() {
                depth[at as usize] = next;
                next += 1;
            }
        }
        depth
    }

    /// Make one span of a circle a root: the one of least id, so that the order of arrival has no say in it.
    fn cut_circle(&mut self, inside: u32) {
        let (mut root, mut at) = (inside, self.parent[inside as usize]);
        while at != inside {
            if self.rows[at as usize].span_id < self.rows[root as usize].span_id {
                root = at;
            }
            at = self.parent[at as usize];
        }
        self.parent[root as usize] = NONE;
        self.rows[root as usize].parent_id = 0;
    }

    /// Work out what each span is to its parent.
    pub fn tie(&mut self, shapes: &[Shape]) {
        let tie = |(row, parent): (&Row, &u32)| {
            let Some(parent) = self.rows.get(*parent as usize) else {
                return Tie::Root;
            };
            let (own, other) = (&shapes[row.shape as usize], &shapes[parent.shape as usize]);
            let is_same = own.origin == other.origin;
            match (own.is_consumer() && (!is_same || other.is_producer()), is_same) {
                (false, true) => Tie::Own,
                (false, false) => Tie::Remote,
                (true, false) => Tie::Delivered,
                (true, true) => Tie::Redelivered,
            }
        };
        self.ties = self.rows.iter().zip(&self.parent).map(tie).collect();
    }

    pub fn duration_ns(&self, at: u32) -> i64 {
        let row = &self.rows[at as usize];
        row.end_ns - row.start_ns
    }

    /// Positions of all spans of a tie.
    pub fn tied(&self, tie: Tie) -> impl Iterator<Item = u32> {
        self.ties.iter().zip(0..).filter(move |(own, _)| **own == tie).map(|(_, at)| at)
    }

    /// Time of each span that no child it waits for covers. Children may overlap and, by their clocks, stick out.
    pub fn self_ns(&self) -> Vec<i64> {
        let mut own: Vec<i64> = (0..self.rows.len() as u32).map(|at| self.duration_ns(at)).collect();
        let lengths = own.clone();
        let mut children: Vec<(u32, i64, i64)> = Vec::new();
        for ((row, parent), tie) in self.rows.iter().zip(&self.parent).zip(&self.ties) {
            if tie.is_waited() {
                let (began, length) = (self.rows[*parent as usize].start_ns, lengths[*parent as usize]);
                children.push((
                    *parent,
                    (row.start_ns - began).clamp(0, length),
                    (row.end_ns - began).clamp(0, length),
                ));
            }
        }
        children.sort_unstable();
        let (mut group, mut reach) = (NONE, 0);
        for (parent, low, high) in children {
            if parent != group {
                (group, reach) = (parent, 0);
            }
            own[parent as usize] -= (high - low.max(reach)).max(0);
            reach = reach.max(high);
        }
        own
    }
}
