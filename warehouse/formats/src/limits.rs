//! What a file may ask for. A file past a limit is refused with the limit's name for people, never read halfway.

/// Columns of one dataset. SAS stops at 32,767; no clinical dataset comes near.
pub const MAX_COLUMNS: usize = 32_768;
/// Bytes of one cell.
pub const MAX_CELL_BYTES: usize = 16 << 20;
/// Bytes of one row as it stands in the file.
pub const MAX_ROW_BYTES: usize = 64 << 20;
/// Bytes of what describes a dataset before or beside its rows.
pub const MAX_METADATA_BYTES: usize = 16 << 20;
/// How many bytes one compressed byte may become, past [`INFLATION_ALLOWANCE`]. Clinical tables reach 60.
pub const MAX_INFLATION: u64 = 250;
/// Bytes that may come out of a compressed file before [`MAX_INFLATION`] is held.
pub const INFLATION_ALLOWANCE: u64 = 16 << 20;
/// How many cells one byte of a file may promise, past [`CELLS_ALLOWANCE`]. Columnar formats say "a million times
/// nothing" in a few bytes; tables of many empty columns reach 100.
pub const MAX_CELLS_PER_BYTE: u64 = 1_000;
/// Cells that a file may promise before [`MAX_CELLS_PER_BYTE`] is held.
pub const CELLS_ALLOWANCE: u64 = 1 << 26;
/// Bytes that one page of a Parquet file may become.
pub const MAX_PAGE_BYTES: u64 = 512 << 20;
/// Bytes that one record batch of an Arrow file may have or become.
pub const MAX_RECORD_BATCH_BYTES: u64 = 1 << 30;
/// Bytes of the footer of a Parquet file, which describes every page of a large one.
pub const MAX_FOOTER_BYTES: u64 = 256 << 20;
/// Bytes of one page of a native SAS dataset.
pub const MAX_SAS_PAGE_BYTES: u64 = 64 << 20;
