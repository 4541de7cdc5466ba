//! Spans that wait for the rest of their trace; the rules are those of `whence.fold.traces`.

use std::cmp::Ordering;
use std::collections::VecDeque;

use pyo3::PyResult;

use crate::batch::Row;
use crate::memory::Map;

/// A trace this long is closed at once.
const MAX_SPANS_PER_TRACE: usize = 10_000;
const MAX_REMEMBERED: usize = 65_536;

type TraceId = [u8; 16];

struct OpenTrace {
    id: TraceId,
    rows: Vec<Row>,
    first_ns: i64,
    last_ns: i64,
    /// Numbers of its place in the two queues: an entry of another number is out of date.
    born: u64,
    touched: u64,
}

/// A trace to count, and when it became due.
pub struct ClosedTrace {
    /// Each of another id, none counted before.
    pub rows: Vec<Row>,
    pub due_ns: i64,
    pub duplicates: u64,
}

/// The ids of the spans of a trace that was closed lately.
struct Counted {
    ids: Vec<u64>,
    closed: u64,
}

/// Which of two differing spans of one id stays.
pub type Order<'o> = &'o dyn Fn(&Row, &Row) -> PyResult<Ordering>;

pub struct OpenTraces {
    idle_ns: i64,
    ttl_ns: i64,
    max_spans: usize,
    slots: Vec<Option<OpenTrace>>,
    free: Vec<u32>,
    by_id: Map<TraceId, u32>,
    /// Oldest first, with entries of traces that have been closed since.
    by_age: VecDeque<(u32, u64)>,
    /// Longest silent first, with entries of traces that have been touched or closed since.
    by_silence: VecDeque<(u32, u64)>,
    counted: Map<TraceId, Counted>,
    by_closing: VecDeque<(TraceId, u64)>,
    endless: VecDeque<u32>,
    ticks: u64,
    pub size: usize,
}

impl OpenTraces {
    pub fn new(idle_ns: i64, ttl_ns: i64, max_spans: usize) -> Self {
        OpenTraces {
            idle_ns,
            ttl_ns,
            max_spans,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: Map::default(),
            by_age: VecDeque::new(),
            by_silence: VecDeque::new(),
            counted: Map::default(),
            by_closing: VecDeque::new(),
            endless: VecDeque::new(),
            ticks: 0,
            size: 0,
        }
    }

    /// Take spans that arrive now; returns how many of their traces had been closed already.
    pub fn add(&mut self, rows: impl Iterator<Item = Row>, now_ns: i64) -> u64 {
        let mut late = 0;
        for row in rows {
            self.size += 1;
            let place = match self.by_id.get(&row.trace_id) {
                Some(place) => {
                    let place = *place;
                    self.touch(place, now_ns);
                    place
                }
                None => {
                    late += u64::from(self.counted.contains_key(&row.trace_id));
                    self.open(row.trace_id, now_ns)
                }
            };
            if let Some(trace) = &mut self.slots[place as usize] {
                trace.rows.push(row);
            }
        }
        late
    }

    fn open(&mut self, id: TraceId, now_ns: i64) -> u32 {
        self.ticks += 1;
        let tick = self.ticks;
        let trace = OpenTrace { id, rows: Vec::new(), first_ns: now_ns, last_ns: now_ns, born: tick, touched: tick };
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = Some(trace);
                place
            }
            None => {
                self.slots.push(Some(trace));
                self.slots.len() as u32 - 1
            }
        };
        self.by_id.insert(id, place);
        self.by_age.push_back((place, tick));
        self.by_silence.push_back((place, tick));
        place
    }

    fn touch(&mut self, place: u32, now_ns: i64) {
        if let Some(trace) = &mut self.slots[place as usize]
            && trace.last_ns != now_ns
        {
            if trace.rows.len() >= MAX_SPANS_PER_TRACE {
                self.endless.push_back(place);
            }
            self.ticks += 1;
            trace.last_ns = now_ns;
            trace.touched = self.ticks;
            self.by_silence.push_back((place, self.ticks));
        }
    }

    /// Close the next trace that is due by now, in the order in which they became due.
    pub fn take_due(&mut self, now_ns: i64, order: Order<'_>) -> PyResult<Option<ClosedTrace>> {
        let (Some((silent, silent_ns)), Some((oldest, oldest_ns))) = (self.silent(), self.oldest()) else {
            return Ok(None);
        };
        let (silent_due, oldest_due) = (silent_ns.saturating_add(self.idle_ns), oldest_ns.saturating_add(self.ttl_ns));
        let (place, due_ns) = if silent_due <= oldest_due { (silent, silent_due) } else { (oldest, oldest_due) };
        if due_ns > now_ns {
            return Ok(None);
        }
        self.close(place, due_ns, order)
    }

    /// Close a trace that grew too long, or the oldest one while too many spans are open.
    pub fn take_excess(&mut self, now_ns: i64, order: Order<'_>) -> PyResult<Option<ClosedTrace>> {
        if let Some(place) = self.endless.pop_front() {
            return self.close(place, now_ns, order);
        }
        match self.oldest() {
            Some((place, _)) if self.size > self.max_spans => self.close(place, now_ns, order),
            _ => Ok(None),
        }
    }

    /// All open spans, oldest trace first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.by_age.iter().filter_map(|entry| self.open_trace(entry)).flat_map(|trace| &trace.rows)
    }

    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        self.slots.iter_mut().flatten().flat_map(|trace| &mut trace.rows)
    }

    /// Hold these spans and no others, as if all of them had come now, and forget what was counted.
    pub fn restart(&mut self, rows: Vec<Row>, now_ns: i64) {
        *self = OpenTraces::new(self.idle_ns, self.ttl_ns, self.max_spans);
        self.add(rows.into_iter(), now_ns);
    }

    fn open_trace(&self, (place, born): &(u32, u64)) -> Option<&OpenTrace> {
        self.slots[*place as usize].as_ref().filter(|trace| trace.born == *born)
    }

    /// Place of the oldest trace, and when it began.
    fn oldest(&mut self) -> Option<(u32, i64)> {
        while let Some(entry) = self.by_age.front() {
            match self.open_trace(entry) {
                Some(trace) => return Some((entry.0, trace.first_ns)),
                None => self.by_age.pop_front(),
            };
        }
        None
    }

    /// Place of the trace that has been silent for longest, and since when.
    fn silent(&mut self) -> Option<(u32, i64)> {
        while let Some((place, touched)) = self.by_silence.front() {
            match self.slots[*place as usize].as_ref().filter(|trace| trace.touched == *touched) {
                Some(trace) => return Some((*place, trace.last_ns)),
                None => self.by_silence.pop_front(),
            };
        }
        None
    }

    fn close(&mut self, place: u32, due_ns: i64, order: Order<'_>) -> PyResult<Option<ClosedTrace>> {
        let Some(trace) = self.slots[place as usize].take() else {
            return Ok(None);
        };
        self.free.push(place);
        self.by_id.remove(&trace.id);
        self.size -= trace.rows.len();
        let mut ids = self.counted.remove(&trace.id).map_or_else(Vec::new, |counted| counted.ids);
        let all = trace.rows.len();
        let rows = fresh(trace.rows, &ids, order)?;
        let duplicates = (all - rows.len()) as u64;
        ids.extend(rows.iter().map(|row| row.span_id));
        self.remember(trace.id, ids);
        Ok(Some(ClosedTrace { rows, due_ns, duplicates }))
    }

    fn remember(&mut self, id: TraceId, ids: Vec<u64>) {
        self.ticks += 1;
        self.counted.insert(id, Counted { ids, closed: self.ticks });
        self.by_closing.push_back((id, self.ticks));
        while self.counted.len() > MAX_REMEMBERED
            && let Some((id, closed)) = self.by_closing.pop_front()
        {
            if self.counted.get(&id).is_some_and(|counted| counted.closed == closed) {
                self.counted.remove(&id);
            }
        }
        if self.by_closing.len() > 2 * MAX_REMEMBERED {
            let counted = &self.counted;
            self.by_closing.retain(|(id, closed)| counted.get(id).is_some_and(|known| known.closed == *closed));
        }
    }
}

/// One span for each id that was not counted yet: of differing ones the least, so that arrival has no say in it.
fn fresh(rows: Vec<Row>, counted: &[u64], order: Order<'_>) -> PyResult<Vec<Row>> {
    let mut ids: Vec<u64> = rows.iter().map(|row| row.span_id).collect();
    ids.sort_unstable();
    if counted.is_empty() && ids.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(rows);
    }
    let mut place_of: Map<u64, Option<usize>> = counted.iter().map(|id| (*id, None)).collect();
    let mut fresh: Vec<Row> = Vec::new();
    for row in rows {
        match place_of.get(&row.span_id) {
            Some(None) => {}
            Some(Some(place)) => {
                if order(&row, &fresh[*place])? == Ordering::Less {
                    fresh[*place] = row;
                }
            }
            None => {
                place_of.insert(row.span_id, Some(fresh.len()));
                fresh.push(row);
            }
        }
    }
    Ok(fresh)
}
