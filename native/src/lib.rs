//! The compiled engine of whence. What things mean is decided in Python; here are the loops over bytes and spans.

mod attribute;
mod batch;
mod counting;
mod decoder;
mod folder;
mod forest;
mod memory;
mod scan;
mod tables;
mod things;
mod traces;
mod wire;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::decoder::Decoder;
    #[pymodule_export]
    use crate::folder::Folder;
}
