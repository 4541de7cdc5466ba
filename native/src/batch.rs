//! Spans as rows, with what repeats among them kept once beside them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use rmp::encode::{
    ValueWriteError, write_array_len, write_bin, write_bool, write_f64, write_sint, write_str, write_uint,
};

use crate::memory::Map;
use crate::scan::Link;

/// One span. Its shape (source, facts, operation and kind) is a number in a list that the row's owner keeps.
#[derive(Clone)]
pub struct Row {
    pub trace_id: [u8; 16],
    /// Big-endian, so that ids compare as their bytes do.
    pub span_id: u64,
    /// 0 for a root.
    pub parent_id: u64,
    pub start_ns: i64,
    pub end_ns: i64,
    pub weight: f64,
    pub links: Option<Box<[Link]>>,
    pub shape: u32,
    pub is_error: bool,
}

/// The spans of one request.
#[pyclass(frozen, module = "whence._native")]
pub struct Batch {
    pub rows: Vec<Row>,
    /// Tuples (source, facts, operation, kind), and beside each its kind.
    pub shapes: Vec<(Py<PyTuple>, i32)>,
}

#[pymethods]
impl Batch {
    /// The batch of some spans.
    #[staticmethod]
    fn of(spans: Vec<SpanFields<'_>>) -> PyResult<Self> {
        let mut batch = Batch { rows: Vec::with_capacity(spans.len()), shapes: Vec::new() };
        let mut number_of = Map::default();
        for span in spans {
            let what = (span.source.as_ptr() as usize, span.facts.as_ptr() as usize, span.operation.as_ptr() as usize);
            let key = (what, span.kind.extract::<i32>().ok());
            let shape = match number_of.get(&key) {
                Some(shape) if key.1.is_some() => *shape,
                _ => {
                    let fields = [&span.source, &span.facts, &span.operation, &span.kind];
                    // A kind beyond all known ones is like none, and the tuple still tells it from others.
                    batch.shapes.push((PyTuple::new(span.source.py(), fields)?.unbind(), key.1.unwrap_or_default()));
                    let shape = batch.shapes.len() as u32 - 1;
                    number_of.insert(key, shape);
                    shape
                }
            };
            batch.rows.push(span.row(shape));
        }
        Ok(batch)
    }

    fn __len__(&self) -> usize {
        self.rows.len()
    }

    /// The rows as `whence.model.spans.Span`.
    fn spans<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let maker = SpanMaker::new(py)?;
        let list = PyList::empty(py);
        for row in &self.rows {
            list.append(maker.span(row, self.shapes[row.shape as usize].0.bind(py))?)?;
        }
        Ok(list)
    }

    /// The tuples (source, facts, operation, kind) of which each row has one.
    fn shapes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.shapes.iter().map(|(tuple, _)| tuple.bind(py)))
    }

    /// The rows as an array in MessagePack, as `whence.collector.checkpoint` has them; `numbers` are those of the
    /// source and the facts of each shape.
    fn packed<'py>(&self, py: Python<'py>, numbers: Vec<(u32, u32)>) -> PyResult<Bound<'py, PyBytes>> {
        let names: Vec<(String, i64)> = self
            .shapes
            .iter()
            .map(|(tuple, _)| {
                let (_, _, operation, kind): (Py<PyAny>, Py<PyAny>, String, i64) = tuple.bind(py).extract()?;
                Ok((operation, kind))
            })
            .collect::<PyResult<_>>()?;
        let packed = py.detach(|| pack(&self.rows, &names, &numbers));
        Ok(PyBytes::new(py, &packed.map_err(|error| PyValueError::new_err(error.to_string()))?))
    }
}

const BYTES_OF_A_ROW: usize = 96;

/// Rows in MessagePack. `names` and `numbers` belong to their shapes: operation and kind, source and facts.
fn pack(rows: &[Row], names: &[(String, i64)], numbers: &[(u32, u32)]) -> Result<Vec<u8>, ValueWriteError> {
    let mut out = Vec::with_capacity(rows.len() * BYTES_OF_A_ROW);
    write_array_len(&mut out, rows.len() as u32)?;
    for row in rows {
        let shape = row.shape as usize;
        let ((operation, kind), (source, facts)) = (&names[shape], numbers[shape]);
        write_array_len(&mut out, 12)?;
        write_bin(&mut out, &row.trace_id)?;
        write_bin(&mut out, &row.span_id.to_be_bytes())?;
        let parent_id = row.parent_id.to_be_bytes();
        write_bin(&mut out, if row.parent_id == 0 { &[] } else { &parent_id })?;
        write_sint(&mut out, *kind)?;
        write_str(&mut out, operation)?;
        write_sint(&mut out, row.start_ns)?;
        write_sint(&mut out, row.end_ns)?;
        write_bool(&mut out, row.is_error).map_err(ValueWriteError::InvalidDataWrite)?;
        write_f64(&mut out, row.weight)?;
        write_uint(&mut out, source.into())?;
        write_uint(&mut out, facts.into())?;
        let links = row.links.as_deref().unwrap_or_default();
        write_array_len(&mut out, links.len() as u32)?;
        for (trace_id, span_id) in links {
            write_array_len(&mut out, 2)?;
            write_bin(&mut out, trace_id)?;
            write_bin(&mut out, span_id)?;
        }
    }
    Ok(out)
}

/// A `Span`, field by field.
#[derive(FromPyObject)]
struct SpanFields<'py> {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_id: Vec<u8>,
    kind: Bound<'py, PyAny>,
    operation: Bound<'py, PyAny>,
    start_ns: i64,
    end_ns: i64,
    is_error: bool,
    weight: f64,
    source: Bound<'py, PyAny>,
    facts: Bound<'py, PyAny>,
    links: Vec<Link>,
}

impl SpanFields<'_> {
    fn row(self, shape: u32) -> Row {
        Row {
            trace_id: self.trace_id,
            span_id: u64::from_be_bytes(self.span_id),
            parent_id: self.parent_id.try_into().map_or(0, u64::from_be_bytes),
            start_ns: self.start_ns,
            end_ns: self.end_ns,
            weight: self.weight,
            links: (!self.links.is_empty()).then(|| self.links.into()),
            shape,
            is_error: self.is_error,
        }
    }
}

/// Makes `Span` tuples.
pub struct SpanMaker<'py> {
    class: Bound<'py, PyAny>,
    new: Bound<'py, PyAny>,
}

impl<'py> SpanMaker<'py> {
    pub fn new(py: Python<'py>) -> PyResult<Self> {
        let class = py.import("whence.model.spans")?.getattr("Span")?;
        let new = py.get_type::<PyTuple>().getattr("__new__")?;
        Ok(SpanMaker { class, new })
    }

    pub fn span(&self, row: &Row, shape: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.class.py();
        let parent_id: &[u8] = if row.parent_id == 0 { &[] } else { &row.parent_id.to_be_bytes() };
        let fields = [
            PyBytes::new(py, &row.trace_id).into_any(),
            PyBytes::new(py, &row.span_id.to_be_bytes()).into_any(),
            PyBytes::new(py, parent_id).into_any(),
            shape.get_item(3)?,
            shape.get_item(2)?,
            row.start_ns.into_pyobject(py)?.into_any(),
            row.end_ns.into_pyobject(py)?.into_any(),
            row.is_error.into_pyobject(py)?.to_owned().into_any(),
            row.weight.into_pyobject(py)?.into_any(),
            shape.get_item(0)?,
            shape.get_item(1)?,
            links(py, row.links.as_deref().unwrap_or(&[]))?.into_any(),
        ];
        self.new.call1((&self.class, PyTuple::new(py, fields)?))
    }
}

fn links<'py>(py: Python<'py>, links: &[Link]) -> PyResult<Bound<'py, PyTuple>> {
    let pairs = links.iter().map(|(trace_id, span_id)| (PyBytes::new(py, trace_id), PyBytes::new(py, span_id)));
    PyTuple::new(py, pairs.collect::<Vec<_>>())
}
