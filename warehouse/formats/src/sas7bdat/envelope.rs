//! What the header of a native SAS dataset promises, held against the file.
//!
//! Source: M. Shotwell, "SAS7BDAT Database Binary Format".

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::FORMAT;
use crate::error::file_name;
use crate::limits::MAX_SAS_PAGE_BYTES;
use crate::{Error, Result};

/// What has to be there of a header.
const HEAD: usize = 288;

/// The file is as long as its header and pages, and no page is beyond measure.
pub(super) fn check(path: &Path) -> Result<()> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let length = file.metadata().map_err(|source| Error::io("measure", path, source))?.len();
    file.take(HEAD as u64).read_to_end(&mut head).map_err(|source| Error::io("read", path, source))?;
    let refused = |reason: String| Err(Error::damaged(&file_name(path), FORMAT, reason));
    if head.len() < HEAD {
        return refused("it was cut short in its header".into());
    }
    // A `3` moves what follows by four bytes, and makes counts eight bytes long.
    let is_64_bit = head[32] == b'3';
    let shift = if head[35] == b'3' { 4 } else { 0 };
    let is_little = head[37] == 1;
    let header = number(&head[196 + shift..], 4, is_little);
    let page = number(&head[200 + shift..], 4, is_little);
    let pages = number(&head[204 + shift..], if is_64_bit { 8 } else { 4 }, is_little);
    if page == 0 || page > MAX_SAS_PAGE_BYTES || header < HEAD as u64 || header > MAX_SAS_PAGE_BYTES {
        return refused(format!("its header has {header} bytes and its pages {page}, which cannot be"));
    }
    let wanted = pages.checked_mul(page).and_then(|bytes| bytes.checked_add(header));
    match wanted {
        Some(wanted) if wanted <= length => Ok(()),
        _ => refused(format!(
            "its header promises {pages} pages of {page} bytes, it has {length} bytes: it was cut short"
        )),
    }
}

fn number(bytes: &[u8], length: usize, is_little: bool) -> u64 {
    let bytes = &bytes[..length];
    let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if is_little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
}
