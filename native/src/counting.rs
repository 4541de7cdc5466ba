//! Closed traces to counts; the rules, and the order of adding, are those of `whence.fold.counting`.

use pyo3::PyResult;

use crate::batch::Row;
use crate::forest::{Forest, NONE, Tie};
use crate::memory::Map;
use crate::tables::{Addition, Buckets, Derivation, GAP, sketch_index};
use crate::things::{Catalog, Relation, Shape, Tuples};
use crate::traces::ClosedTrace;

/// What became of spans; see `FoldStats`.
#[derive(Clone, Default)]
pub struct Totals {
    pub spans: u64,
    pub traces_closed: u64,
    pub late_traces: u64,
    pub duplicate_spans: u64,
    pub evicted_full: u64,
    pub paired: u64,
    pub unpaired_callers: u64,
    pub unknown_callers: u64,
}

/// Count all spans of some traces.
pub fn count(
    traces: Vec<ClosedTrace>,
    catalog: &mut Catalog,
    tuples: &mut Tuples,
    buckets: &mut Buckets,
    totals: &mut Totals,
) -> PyResult<()> {
    let mut forest = Forest::new(traces);
    for (row, known_ns) in forest.rows.iter_mut().zip(&forest.known_ns) {
        row.shape = catalog.shape(tuples, row.shape, *known_ns)?;
    }
    forest.tie(&catalog.shapes);
    let place = forest.rows.iter().map(|row| buckets.place(row.start_ns)).collect();
    let mut count = Count { is_origin: origins_of_errors(&forest), forest, place, catalog, buckets, totals };
    count.run()
}

/// Errors that no waited-for child explains.
fn origins_of_errors(forest: &Forest) -> Vec<bool> {
    let mut is_origin: Vec<bool> = forest.rows.iter().map(|row| row.is_error).collect();
    for ((row, parent), tie) in forest.rows.iter().zip(&forest.parent).zip(&forest.ties) {
        if row.is_error && tie.is_waited() {
            is_origin[*parent as usize] = false;
        }
    }
    is_origin
}

/// One batch on its way into the tables.
struct Count<'c> {
    forest: Forest,
    is_origin: Vec<bool>,
    /// Place of the bucket that each span starts in.
    place: Vec<u32>,
    catalog: &'c mut Catalog,
    buckets: &'c mut Buckets,
    totals: &'c mut Totals,
}

/// What lies at or below each span.
struct Climbed {
    words: usize,
    /// Bits of the nodes that it touched, `words` for each span.
    masks: Vec<u64>,
    poor: Vec<bool>,
    /// Whether a span inside it, in the same service version, states what it touched.
    states_below: Vec<bool>,
    /// Client spans that nobody answered.
    outward: Vec<u32>,
}

impl Count<'_> {
    fn run(&mut self) -> PyResult<()> {
        let climbed = self.climb();
        let sees_alone = self.callers_of_one();
        let own_ns = self.forest.self_ns();
        self.count_operations(&own_ns, &self.lost_elsewhere(&sees_alone, &climbed.outward));
        self.count_outward(&own_ns, &climbed.outward);
        self.count_calls(&sees_alone)?;
        self.count_stated(&climbed);
        let entries = self.entries();
        self.count_requests(&entries, &climbed);
        for at in &entries {
            for edge in self.shape(*at).standing.clone() {
                self.over(edge, *at, self.forest.duration_ns(*at));
            }
        }
        self.derive();
        self.buckets.settle();
        Ok(())
    }

    fn row(&self, at: u32) -> &Row {
        &self.forest.rows[at as usize]
    }

    fn shape(&self, at: u32) -> &Shape {
        &self.catalog.shapes[self.row(at).shape as usize]
    }

    /// Spans, children before their parents: what is known of one only when all below it is known.
    fn climb(&self) -> Climbed {
        let forest = &self.forest;
        let size = forest.rows.len();
        let words = self.catalog.nodes as usize / 64 + 1;
        let mut climbed = Climbed {
            words,
            masks: vec![0; size * words],
            poor: vec![false; size],
            states_below: vec![false; size],
            outward: Vec::new(),
        };
        let mut reaches = vec![false; size];
        for at in &forest.from_the_deepest {
            let (place, shape) = (*at as usize, self.shape(*at));
            let has_edges = !shape.edges.is_empty();
            climbed.poor[place] |= shape.poor;
            climbed.touch(place, shape.nodes.iter().copied());
            reaches[place] |= has_edges;
            if shape.is_caller() && !reaches[place] {
                climbed.outward.push(*at);
                reaches[place] = shape.peer.is_some();
                climbed.touch(place, shape.peer.iter().map(|peer| peer.1));
            }
            let parent = forest.parent[place] as usize;
            match forest.ties[place] {
                Tie::Own => {
                    reaches[parent] |= reaches[place];
                    climbed.states_below[parent] |= has_edges || climbed.states_below[place];
                    climbed.carry_up(place, parent);
                }
                Tie::Remote => {
                    reaches[parent] = true;
                    climbed.carry_up(place, parent);
                }
                Tie::Root | Tie::Delivered | Tie::Redelivered => {}
            }
        }
        climbed
    }

    /// By caller: whether it made exactly one call, which it saw, so that what its span is longer was lost on the way.
    fn callers_of_one(&self) -> Vec<bool> {
        let mut calls = vec![0u32; self.forest.rows.len()];
        for at in self.forest.tied(Tie::Remote) {
            calls[self.forest.parent[at as usize] as usize] += 1;
        }
        (0..).zip(calls).map(|(at, calls)| calls == 1 && self.shape(at).is_caller()).collect()
    }

    /// By span: whether what it waited was lost on the way, or at somebody who tells nothing.
    ///
    /// Then it is the relation's gap, not the caller's own time.
    fn lost_elsewhere(&self, sees_alone: &[bool], outward: &[u32]) -> Vec<bool> {
        let mut lost = sees_alone.to_vec();
        for at in outward.iter().filter(|at| self.shape(**at).peer.is_some()) {
            lost[*at as usize] = true;
        }
        lost
    }

    fn count_operations(&mut self, own_ns: &[i64], lost_elsewhere: &[bool]) {
        for at in 0..self.forest.rows.len() {
            let (row, shape) = (&self.forest.rows[at], &self.catalog.shapes[self.forest.rows[at].shape as usize]);
            let weight = row.weight;
            let numbers = [
                weight,
                weight * flag(row.is_error),
                weight * flag(self.is_origin[at]),
                0.0,
                weight * flag(shape.poor),
            ];
            let timed = if lost_elsewhere[at] { 0.0 } else { weight };
            let new = Addition {
                start_ns: row.start_ns,
                end_ns: row.end_ns,
                numbers,
                index: sketch_index(own_ns[at]),
                weight: timed,
            };
            self.buckets.at(self.place[at]).operations.add(shape.operation, new);
        }
    }

    fn count_outward(&mut self, own_ns: &[i64], outward: &[u32]) {
        for at in outward {
            let Some((edge, _)) = self.shape(*at).peer else {
                self.totals.unpaired_callers += 1;
                continue;
            };
            self.over(edge, *at, self.forest.duration_ns(*at));
            let (place, weight) = (self.place[*at as usize], self.row(*at).weight);
            self.buckets.at(place).edges.add_sketch(GAP, edge, sketch_index(own_ns[*at as usize]), weight);
        }
    }

    /// Calls between service versions, and messages between those that name no topic.
    fn count_calls(&mut self, sees_alone: &[bool]) -> PyResult<()> {
        let callees: Vec<u32> = self.forest.tied(Tie::Remote).collect();
        let delivered: Vec<u32> = self.forest.tied(Tie::Delivered).collect();
        self.totals.paired += (callees.len() + delivered.len()) as u64;
        let calls: Vec<(u32, u32)> = callees.iter().map(|at| (self.forest.parent[*at as usize], *at)).collect();
        let edges = self.relations(Relation::Calls, &calls)?;
        for ((caller, callee), edge) in calls.iter().zip(&edges) {
            let longest = if sees_alone[*caller as usize] { *caller } else { *callee };
            self.over(*edge, *callee, self.forest.duration_ns(longest));
        }
        for ((caller, callee), edge) in calls.iter().zip(&edges) {
            if sees_alone[*caller as usize] {
                let lost_ns = self.forest.duration_ns(*caller) - self.forest.duration_ns(*callee);
                let (place, weight) = (self.place[*callee as usize], self.row(*callee).weight);
                self.buckets.at(place).edges.add_sketch(GAP, *edge, sketch_index(lost_ns), weight);
            }
        }
        let untold = delivered.iter().filter(|at| !self.shape(**at).takes_messages);
        let taken: Vec<(u32, u32)> = untold.map(|at| (*at, self.forest.parent[*at as usize])).collect();
        let edges = self.relations(Relation::Consumes, &taken)?;
        for ((consumer, _), edge) in taken.iter().zip(edges) {
            self.over(edge, *consumer, self.forest.duration_ns(*consumer));
        }
        Ok(())
    }

    /// Numbers of the relations from the origins of some spans to those of others.
    fn relations(&mut self, relation: Relation, pairs: &[(u32, u32)]) -> PyResult<Vec<u32>> {
        let origins: Vec<(u32, u32)> =
            pairs.iter().map(|(near, far)| (self.shape(*near).origin, self.shape(*far).origin)).collect();
        let mut new: Vec<(u32, u32, i64)> = Vec::new();
        for ((near, far), pair) in origins.iter().zip(pairs) {
            if self.catalog.between(relation, *near, *far).is_none() {
                new.push((*near, *far, self.forest.known_ns[pair.0 as usize]));
            }
        }
        new.sort_by_key(|(near, far, _)| (*near, *far)); // stable, so the first sighting of a pair comes first
        new.dedup_by_key(|(near, far, _)| (*near, *far));
        for (near, far, known_ns) in new {
            self.catalog.relate(relation, near, far, known_ns)?;
        }
        Ok(origins.iter().map(|(near, far)| self.catalog.between(relation, *near, *far).unwrap_or(NONE)).collect())
    }

    /// What spans state that they read, used or wrote, but for what a span inside them stated already.
    fn count_stated(&mut self, climbed: &Climbed) {
        let mut repeats = Vec::new();
        for at in 0..self.forest.rows.len() as u32 {
            if climbed.states_below[at as usize] {
                repeats.push(at);
                continue;
            }
            for edge in 0..self.shape(at).edges.len() {
                self.over(self.shape(at).edges[edge], at, self.forest.duration_ns(at));
            }
        }
        repeats.retain(|at| !self.shape(*at).edges.is_empty());
        if !repeats.is_empty() {
            self.count_repeats(&repeats);
        }
    }

    fn count_repeats(&mut self, outer: &[u32]) {
        let mut own: Map<u32, Vec<u32>> = Map::default();
        for at in self.forest.tied(Tie::Own) {
            own.entry(self.forest.parent[at as usize]).or_default().push(at);
        }
        let below = |at: &u32| own.get(at).cloned().unwrap_or_default();
        for at in outer {
            let mut stated: Vec<u32> = Vec::new();
            let mut stack = below(at);
            while let Some(inner) = stack.pop() {
                stack.extend(below(&inner));
                stated.extend(self.shape(inner).stated.iter().map(|edge| edge.1));
            }
            for (edge, node) in self.shape(*at).stated.clone() {
                if !stated.contains(&node) {
                    stated.push(node);
                    self.over(edge, *at, self.forest.duration_ns(*at));
                }
            }
        }
    }

    /// Spans with which a request came into a service.
    fn entries(&mut self) -> Vec<u32> {
        let forest = &self.forest;
        let is_entered = |at: &u32| self.shape(*at).service != self.shape(forest.parent[*at as usize]).service;
        let mut entries: Vec<u32> = forest.tied(Tie::Remote).filter(is_entered).collect();
        entries.extend(forest.tied(Tie::Delivered));
        entries.extend(forest.tied(Tie::Redelivered));
        for at in forest.tied(Tie::Root) {
            if self.row(at).parent_id == 0 {
                entries.push(at);
            } else if self.shape(at).can_be_entered() {
                self.totals.unknown_callers += 1;
                entries.push(at);
            }
        }
        entries
    }

    /// Requests by entry and each node that they touched, and by entry alone.
    fn count_requests(&mut self, entries: &[u32], climbed: &Climbed) {
        for at in entries {
            let place = *at as usize;
            let (row, entry) = (&self.forest.rows[place], self.shape(*at).entry);
            let weight = row.weight;
            let numbers = [weight, weight * weight, weight * flag(row.is_error), weight * flag(climbed.poor[place])];
            let new = Addition {
                start_ns: row.start_ns,
                end_ns: row.end_ns,
                numbers,
                index: sketch_index(row.end_ns - row.start_ns),
                weight,
            };
            let table = &mut self.buckets.at(self.place[place]).exposures;
            table.add(self.catalog.exposure(entry, 0), new);
            for node in climbed.touched(place) {
                table.add(self.catalog.exposure(entry, node + 1), new);
            }
        }
    }

    fn over(&mut self, edge: u32, at: u32, latency_ns: i64) {
        let (row, place) = (&self.forest.rows[at as usize], self.place[at as usize]);
        let weight = row.weight;
        let numbers = [weight, weight * flag(row.is_error), weight * flag(self.is_origin[at as usize])];
        let index = sketch_index(latency_ns);
        let new = Addition { start_ns: row.start_ns, end_ns: row.end_ns, numbers, index, weight };
        self.buckets.at(place).edges.add(edge, new);
        let used = (row.end_ns, row.trace_id);
        let last = self.buckets.examples.entry(edge).or_insert(used);
        *last = used.max(*last);
    }

    /// What a service version made in a trace derives from what it read and used in it.
    fn derive(&mut self) {
        let makers: Vec<u32> =
            (0..self.forest.rows.len() as u32).filter(|at| !self.shape(*at).made.is_empty()).collect();
        if makers.is_empty() {
            return;
        }
        let mut used: Map<(u32, u32), Vec<u32>> = Map::default();
        for at in 0..self.forest.rows.len() as u32 {
            let shape = self.shape(at);
            if !shape.used.is_empty() {
                used.entry((self.forest.trace[at as usize], shape.origin)).or_default().extend(&shape.used);
            }
        }
        for at in makers {
            let (row, shape) = (&self.forest.rows[at as usize], &self.catalog.shapes[self.row(at).shape as usize]);
            let known_ns = self.forest.known_ns[at as usize];
            for source in used.get(&(self.forest.trace[at as usize], shape.origin)).into_iter().flatten() {
                for made in shape.made.iter().filter(|made| *made != source) {
                    let derivations = &mut self.buckets.derivations;
                    let fresh = Derivation { first_ns: i64::MAX, last_ns: 0, known_ns };
                    let seen = derivations.entry((*made, *source, shape.origin)).or_insert(fresh);
                    seen.first_ns = seen.first_ns.min(row.start_ns);
                    seen.last_ns = seen.last_ns.max(row.end_ns);
                }
            }
        }
    }
}

impl Climbed {
    fn touch(&mut self, at: usize, nodes: impl Iterator<Item = u32>) {
        for node in nodes {
            self.masks[at * self.words + node as usize / 64] |= 1 << (node % 64);
        }
    }

    fn carry_up(&mut self, at: usize, parent: usize) {
        self.poor[parent] |= self.poor[at];
        for word in 0..self.words {
            self.masks[parent * self.words + word] |= self.masks[at * self.words + word];
        }
    }

    /// Numbers of the nodes that a span touched at or below it.
    fn touched(&self, at: usize) -> impl Iterator<Item = u32> {
        let words = &self.masks[at * self.words..(at + 1) * self.words];
        (0..).zip(words).flat_map(|(word, bits)| {
            let mut bits = *bits;
            std::iter::from_fn(move || {
                let node = (bits != 0).then(|| word * 64 + bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
                node
            })
        })
    }
}

fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}
