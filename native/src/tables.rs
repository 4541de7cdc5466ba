//! Counts in memory, before they become rows: one for each thing counted in a bucket of time.
//!
//! The sums are those of the portable tables to the last bit, also where weights are so large that the order of adding
//! shows: what one batch adds to a number is summed up by itself first, and sketches are single precision.

use std::collections::BTreeMap;

use crate::memory::Map;

/// Buckets of a latency sketch; see `whence.model.sketch`.
const WIDTH: usize = 176;
const NO_ROW: u32 = u32::MAX;

/// The index of a sketch's bucket that holds a duration.
pub fn sketch_index(duration_ns: i64) -> usize {
    let microseconds = u64::try_from(duration_ns.div_euclid(1000)).unwrap_or(0);
    if microseconds < 8 {
        return microseconds as usize;
    }
    let bits = 64 - microseconds.leading_zeros() as usize;
    let quarter = (microseconds >> (bits - 3)) as usize & 3;
    ((bits << 2) + quarter - 8).min(WIDTH - 1)
}

/// What to add for one span.
#[derive(Clone, Copy)]
pub struct Addition<const N: usize> {
    pub start_ns: i64,
    pub end_ns: i64,
    pub numbers: [f64; N],
    /// Where to add in the first sketch, and how much.
    pub index: usize,
    pub weight: f64,
}

/// What was counted of one thing, all in all.
pub struct Changed<const N: usize, const S: usize> {
    pub thing: u32,
    pub spans: u64,
    pub numbers: [f64; N],
    pub sketches: [Vec<u8>; S],
    pub first_ns: i64,
    pub last_ns: i64,
}

struct Row<const N: usize> {
    thing: u32,
    spans: u64,
    numbers: [f64; N],
    /// Of the present batch, not yet in `numbers`.
    pending: [f64; N],
    is_pending: bool,
    is_changed: bool,
    first_ns: i64,
    last_ns: i64,
}

/// Rows of `N` numbers and `S` sketches by thing. Things are small whole numbers.
pub struct Table<const N: usize, const S: usize> {
    row_of: Vec<u32>,
    rows: Vec<Row<N>>,
    sketches: [Vec<f32>; S],
    pending: Vec<u32>,
    changed: Vec<u32>,
}

impl<const N: usize, const S: usize> Default for Table<N, S> {
    fn default() -> Self {
        Table {
            row_of: Vec::new(),
            rows: Vec::new(),
            sketches: [const { Vec::new() }; S],
            pending: Vec::new(),
            changed: Vec::new(),
        }
    }
}

impl<const N: usize, const S: usize> Table<N, S> {
    pub fn add(&mut self, thing: u32, new: Addition<N>) {
        let at = self.row(thing);
        let row = &mut self.rows[at as usize];
        row.spans += 1;
        row.first_ns = row.first_ns.min(new.start_ns);
        row.last_ns = row.last_ns.max(new.end_ns);
        for (sum, number) in row.pending.iter_mut().zip(new.numbers) {
            *sum += number;
        }
        if !row.is_pending {
            row.is_pending = true;
            self.pending.push(at);
        }
        if !row.is_changed {
            row.is_changed = true;
            self.changed.push(at);
        }
        self.sketches[0][at as usize * WIDTH + new.index] += new.weight as f32;
    }

    /// Add to one of the sketches of a thing that has a row.
    pub fn add_sketch(&mut self, sketch: usize, thing: u32, index: usize, weight: f64) {
        let at = self.row(thing);
        self.sketches[sketch][at as usize * WIDTH + index] += weight as f32;
    }

    /// End a batch.
    pub fn settle(&mut self) {
        for at in self.pending.drain(..) {
            let row = &mut self.rows[at as usize];
            row.is_pending = false;
            for (number, sum) in row.numbers.iter_mut().zip(&mut row.pending) {
                *number += std::mem::take(sum);
            }
        }
    }

    /// The rows that changed since the last call.
    pub fn take_changed(&mut self) -> Vec<Changed<N, S>> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|at| self.take(at as usize)).collect()
    }

    fn take(&mut self, at: usize) -> Changed<N, S> {
        let row = &mut self.rows[at];
        row.is_changed = false;
        let sketches = std::array::from_fn(|sketch| encode(&self.sketches[sketch][at * WIDTH..(at + 1) * WIDTH]));
        Changed {
            thing: row.thing,
            spans: row.spans,
            numbers: row.numbers,
            sketches,
            first_ns: row.first_ns,
            last_ns: row.last_ns,
        }
    }

    fn row(&mut self, thing: u32) -> u32 {
        let place = thing as usize;
        if place >= self.row_of.len() {
            self.row_of.resize((place + 1).max(2 * self.row_of.len()), NO_ROW);
        }
        if self.row_of[place] == NO_ROW {
            self.row_of[place] = self.rows.len() as u32;
            self.rows.push(Row {
                thing,
                spans: 0,
                numbers: [0.0; N],
                pending: [0.0; N],
                is_pending: false,
                is_changed: false,
                first_ns: i64::MAX,
                last_ns: 0,
            });
            for sketch in &mut self.sketches {
                sketch.resize(self.rows.len() * WIDTH, 0.0);
            }
        }
        self.row_of[place]
    }
}

/// The stored form of a sketch.
fn encode(sketch: &[f32]) -> Vec<u8> {
    let mut data = Vec::new();
    for (index, weight) in (0u8..).zip(sketch) {
        if *weight != 0.0 {
            data.push(index);
            data.extend(weight.to_le_bytes());
        }
    }
    data
}

pub const GAP: usize = 1;

/// calls, errors, origin errors, error logs, poor
pub type Operations = Table<5, 1>;
/// calls, errors, origin errors; sketches of latency and gap
pub type Edges = Table<3, 2>;
/// requests, their squares, errors, poor
pub type Exposures = Table<4, 1>;

/// All counts of spans that start in one bucket of time.
#[derive(Default)]
pub struct Bucket {
    pub operations: Operations,
    pub edges: Edges,
    pub exposures: Exposures,
    is_touched: bool,
}

impl Bucket {
    fn settle(&mut self) {
        self.operations.settle();
        self.edges.settle();
        self.exposures.settle();
    }
}

/// When one thing was seen to be made from another, or by a service.
pub struct Derivation {
    pub first_ns: i64,
    pub last_ns: i64,
    pub known_ns: i64,
}

/// The tallies of one writer. They stay here until it ends, since late spans may still add to any of them.
pub struct Buckets {
    width_ns: i64,
    list: Vec<Bucket>,
    place_of: Map<i64, u32>,
    touched: BTreeMap<i64, u32>,
    /// By output, what it derives from, and the origin that made it.
    pub derivations: Map<(u32, u32, u32), Derivation>,
    /// Of each relation used since the last drain: when, and in which trace, it was used last.
    pub examples: Map<u32, (i64, [u8; 16])>,
}

impl Buckets {
    pub fn new(width_ns: i64) -> Self {
        Buckets {
            width_ns,
            list: Vec::new(),
            place_of: Map::default(),
            touched: BTreeMap::new(),
            derivations: Map::default(),
            examples: Map::default(),
        }
    }

    /// The place of the bucket that an instant falls into, about to be changed.
    pub fn place(&mut self, time_ns: i64) -> u32 {
        let number = time_ns.div_euclid(self.width_ns);
        let next = self.list.len() as u32;
        let place = *self.place_of.entry(number).or_insert(next);
        if place == next {
            self.list.push(Bucket::default());
        }
        let bucket = &mut self.list[place as usize];
        if !bucket.is_touched {
            bucket.is_touched = true;
            self.touched.insert(number, place);
        }
        place
    }

    pub fn at(&mut self, place: u32) -> &mut Bucket {
        &mut self.list[place as usize]
    }

    /// End a batch.
    pub fn settle(&mut self) {
        for place in self.touched.values() {
            self.list[*place as usize].settle();
        }
    }

    pub fn is_drained(&self) -> bool {
        self.touched.is_empty()
    }

    /// Give each changed bucket's number to a function; afterwards none is changed.
    pub fn drain<T>(&mut self, mut take: impl FnMut(i64, &mut Bucket) -> T) -> Vec<T> {
        let touched = std::mem::take(&mut self.touched);
        let mut taken = Vec::new();
        for (number, place) in touched {
            let bucket = &mut self.list[place as usize];
            bucket.is_touched = false;
            taken.push(take(number, bucket));
        }
        taken
    }
}
