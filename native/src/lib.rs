//! The compiled engine of whence. What things mean is decided in Python; here are the loops over bytes and spans.

mod attribute;
mod batch;
mod decoder;
mod memory;
mod scan;
mod wire;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::decoder::Decoder;
}
