//! The folder: batches in, changed counts out; the rules are those of `whence.fold.folder`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::batch::{Batch, Row};
use crate::counting::{Totals, count};
use crate::memory::Map;
use crate::tables::{Addition, Buckets, Changed};
use crate::things::{Catalog, Tuples};
use crate::traces::{ClosedTrace, OpenTraces};

const SPANS_AT_A_TIME: usize = 4096;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// Number of a thing, its counts in the order of its row, and when it was first and last seen.
type ChangedRow<'py> = (u32, Bound<'py, PyTuple>, i64, i64);
/// The same for an entry and a node, one more than its number; 0 for none.
type ChangedExposure<'py> = ((u32, u32), Bound<'py, PyTuple>, i64, i64);
/// Start in seconds, operations, edges, exposures.
type ChangedBucket<'py> = (i64, Vec<ChangedRow<'py>>, Vec<ChangedRow<'py>>, Vec<ChangedExposure<'py>>);
/// Output, what it derives from, the origin that made it; first and last seen, and since when known.
type Derived = (u32, u32, u32, i64, i64, i64);
/// By relation: when, and in which trace, it was used last.
type Examples = Map<u32, (i64, [u8; 16])>;
type Drained<'py> = (Vec<ChangedBucket<'py>>, Vec<Derived>, Bound<'py, PyDict>);

/// Joins the spans of each trace and counts them.
#[pyclass(frozen, module = "whence._native")]
pub struct Folder {
    state: Mutex<State>,
    /// A copy, so that looking at them waits for nobody.
    totals: Mutex<(Totals, usize)>,
}

struct State {
    width_ns: i64,
    now_ns: i64,
    traces: OpenTraces,
    tuples: Tuples,
    catalog: Catalog,
    buckets: Buckets,
    closed: Vec<ClosedTrace>,
    closed_spans: usize,
    totals: Totals,
}

#[pymethods]
impl Folder {
    #[new]
    fn new(catalog: Py<PyAny>, bucket_s: i64, idle_ns: i64, ttl_ns: i64, max_open_spans: usize) -> Self {
        let width_ns = bucket_s.max(1).saturating_mul(NS_PER_SECOND);
        let state = State {
            width_ns,
            now_ns: 0,
            traces: OpenTraces::new(idle_ns, ttl_ns, max_open_spans),
            tuples: Tuples::new(),
            catalog: Catalog::new(catalog),
            buckets: Buckets::new(width_ns),
            closed: Vec::new(),
            closed_spans: 0,
            totals: Totals::default(),
        };
        Folder { state: Mutex::new(state), totals: Mutex::default() }
    }

    /// Take spans that arrive now. First closes what was due by now; last, what is too much.
    fn push(&self, py: Python<'_>, batch: &Batch, now_ns: i64) -> PyResult<()> {
        let shapes = batch.shapes.iter().map(|(tuple, kind)| (tuple.clone_ref(py), *kind)).collect();
        self.locked(py, |state| state.push(shapes, &batch.rows, now_ns))
    }

    /// Count one error log of an operation of the catalog.
    fn push_log(&self, py: Python<'_>, operation: u32, time_ns: i64) {
        self.locked(py, |state| state.push_log(operation, time_ns));
    }

    /// Close and count the traces that are due by now.
    fn expire(&self, py: Python<'_>, now_ns: i64) -> PyResult<()> {
        self.locked(py, |state| state.expire(now_ns))
    }

    /// Everything that changed since the last drain.
    fn drain<'py>(&self, py: Python<'py>, now_ns: i64) -> PyResult<Drained<'py>> {
        let (buckets, derivations, examples) = self.locked(py, |state| state.drain(now_ns))?;
        let mut changed = Vec::new();
        for (start_s, operations, edges, exposures) in buckets {
            let exposures = exposures.into_iter().map(|(pair, row)| {
                let (_, counts, first_ns, last_ns) = changed_row(py, row)?;
                Ok((pair, counts, first_ns, last_ns))
            });
            changed.push((
                start_s,
                operations.into_iter().map(|row| changed_row(py, row)).collect::<PyResult<_>>()?,
                edges.into_iter().map(|row| changed_row(py, row)).collect::<PyResult<_>>()?,
                exposures.collect::<PyResult<_>>()?,
            ));
        }
        let used = PyDict::new(py);
        for (edge, (at_ns, trace_id)) in examples {
            used.set_item(edge, (at_ns, PyBytes::new(py, &trace_id)))?;
        }
        Ok((changed, derivations, used))
    }

    /// Count with another catalog from here on. Open traces come along, as if their spans had arrived just now.
    fn roll(&self, py: Python<'_>, catalog: Py<PyAny>) -> PyResult<()> {
        self.locked(py, |state| state.roll(catalog))
    }

    /// Spans of open traces, oldest trace first.
    fn open_spans(&self, py: Python<'_>) -> Batch {
        let (rows, tuples): (Vec<Row>, _) = self.locked(py, |state| {
            state
                .tuples
                .keep_used(state.traces.rows_mut().chain(state.closed.iter_mut().flat_map(|one| &mut one.rows)));
            let rows = state.traces.rows().cloned().collect();
            (rows, Python::attach(|py| state.tuples.all(py)))
        });
        Batch { rows, shapes: tuples }
    }

    /// Hold these spans as the only open ones.
    fn restore(&self, py: Python<'_>, batch: &Batch, now_ns: i64) {
        let shapes = batch.shapes.iter().map(|(tuple, kind)| (tuple.clone_ref(py), *kind)).collect();
        self.locked(py, |state| {
            state.now_ns = state.now_ns.max(now_ns);
            let rows = state.numbered(shapes, &batch.rows);
            state.traces.restart(rows, state.now_ns);
        });
    }

    /// Totals in the order of `FoldStats`.
    fn stats(&self) -> [u64; 9] {
        let (totals, open) = &*self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        [
            totals.spans,
            totals.traces_closed,
            totals.late_traces,
            totals.duplicate_spans,
            totals.evicted_full,
            totals.paired,
            totals.unpaired_callers,
            totals.unknown_callers,
            *open as u64,
        ]
    }
}

impl Folder {
    /// Do something to the state, without the interpreter's lock: the state's holder may be waiting for it.
    fn locked<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> T + Send) -> T {
        py.detach(|| {
            let mut state: MutexGuard<'_, State> = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let done = work(&mut state);
            let totals = (state.totals.clone(), state.traces.size);
            *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
            done
        })
    }
}

type ChangedTables = (i64, Vec<Changed<5, 1>>, Vec<Changed<3, 2>>, Vec<((u32, u32), Changed<4, 1>)>);

impl State {
    fn push(&mut self, shapes: Vec<(Py<PyTuple>, i32)>, rows: &[Row], now_ns: i64) -> PyResult<()> {
        self.expire(now_ns)?;
        if self.tuples.is_large() {
            let closed = self.closed.iter_mut().flat_map(|trace| &mut trace.rows);
            self.tuples.keep_used(self.traces.rows_mut().chain(closed));
        }
        let rows = self.numbered(shapes, rows);
        self.totals.spans += rows.len() as u64;
        self.totals.late_traces += self.traces.add(rows.into_iter(), self.now_ns);
        while let Some(trace) = self.traces.take_excess(self.now_ns, &|a, b| self.tuples.order(a, b))? {
            self.totals.evicted_full += 1;
            self.close(trace)?;
        }
        Ok(())
    }

    /// Rows whose shapes are numbers of the folder's own list.
    fn numbered(&mut self, shapes: Vec<(Py<PyTuple>, i32)>, rows: &[Row]) -> Vec<Row> {
        let numbers: Vec<u32> = shapes.into_iter().map(|(tuple, kind)| self.tuples.number(tuple, kind)).collect();
        rows.iter().map(|row| Row { shape: numbers[row.shape as usize], ..row.clone() }).collect()
    }

    fn push_log(&mut self, operation: u32, time_ns: i64) {
        let numbers = [0.0, 0.0, 0.0, 1.0, 0.0];
        // It has no duration, so it leaves the sketch alone by a weight of nothing.
        let new = Addition { start_ns: time_ns, end_ns: time_ns, numbers, index: 0, weight: 0.0 };
        let place = self.buckets.place(time_ns);
        let operations = &mut self.buckets.at(place).operations;
        operations.add(operation, new);
        operations.settle();
    }

    fn expire(&mut self, now_ns: i64) -> PyResult<()> {
        self.now_ns = self.now_ns.max(now_ns);
        while let Some(trace) = self.traces.take_due(self.now_ns, &|a, b| self.tuples.order(a, b))? {
            self.close(trace)?;
        }
        Ok(())
    }

    /// Take a closed trace; they are counted many at a time.
    fn close(&mut self, trace: ClosedTrace) -> PyResult<()> {
        self.totals.traces_closed += 1;
        self.totals.duplicate_spans += trace.duplicates;
        if !trace.rows.is_empty() {
            self.closed_spans += trace.rows.len();
            self.closed.push(trace);
        }
        if self.closed_spans >= SPANS_AT_A_TIME { self.count_closed() } else { Ok(()) }
    }

    fn count_closed(&mut self) -> PyResult<()> {
        self.closed_spans = 0;
        let closed = std::mem::take(&mut self.closed);
        if closed.is_empty() {
            return Ok(());
        }
        count(closed, &mut self.catalog, &mut self.tuples, &mut self.buckets, &mut self.totals)
    }

    fn drain(&mut self, now_ns: i64) -> PyResult<(Vec<ChangedTables>, Vec<Derived>, Examples)> {
        self.now_ns = self.now_ns.max(now_ns);
        self.count_closed()?;
        let (width_s, exposures) = (self.width_ns / NS_PER_SECOND, &self.catalog.exposures);
        let changed = self.buckets.drain(|number, bucket| {
            let touched = bucket.exposures.take_changed().into_iter();
            let touched = touched.map(|row| (exposures[row.thing as usize], row)).collect();
            (number * width_s, bucket.operations.take_changed(), bucket.edges.take_changed(), touched)
        });
        let derivations = std::mem::take(&mut self.buckets.derivations);
        let derived = derivations
            .into_iter()
            .map(|((made, source, origin), seen)| (made, source, origin, seen.first_ns, seen.last_ns, seen.known_ns));
        Ok((changed, derived.collect(), std::mem::take(&mut self.buckets.examples)))
    }

    fn roll(&mut self, catalog: Py<PyAny>) -> PyResult<()> {
        if !self.buckets.is_drained() || !self.closed.is_empty() {
            return Err(PyRuntimeError::new_err("drain before rolling: rows of the old writer would be lost"));
        }
        self.catalog = Catalog::new(catalog);
        self.buckets = Buckets::new(self.width_ns);
        self.tuples.keep_used(self.traces.rows_mut());
        self.tuples.forget_writer();
        let open = self.traces.rows().cloned().collect();
        self.traces.restart(open, self.now_ns);
        Ok(())
    }
}

fn changed_row<const N: usize, const S: usize>(py: Python<'_>, row: Changed<N, S>) -> PyResult<ChangedRow<'_>> {
    let mut counts = vec![row.spans.into_pyobject(py)?.into_any()];
    for number in row.numbers {
        counts.push(number.into_pyobject(py)?.into_any());
    }
    counts.extend(row.sketches.iter().map(|sketch| PyBytes::new(py, sketch).into_any()));
    Ok((row.thing, PyTuple::new(py, counts)?, row.first_ns, row.last_ns))
}
