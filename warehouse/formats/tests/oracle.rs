//! Real studies and the answers of other readers, in the folder that `CAIRN_ORACLES` names.

use std::path::PathBuf;

/// The folder of studies; none, with a printed line, where it is not told. In CI it has to be.
#[expect(
    clippy::disallowed_methods,
    reason = "the oracles are no part of the repository, only their place is told"
)]
pub(crate) fn studies() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("CAIRN_ORACLES") else {
        assert!(std::env::var_os("CI").is_none(), "CAIRN_ORACLES is not set, and CI needs it");
        println!("not run: oracle data absent");
        return None;
    };
    Some(PathBuf::from(folder).join("studies"))
}
