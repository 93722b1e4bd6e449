//! A snapshot as a small DuckDB database of views, so that any DuckDB client opens it by name.

use std::path::Path;

use crate::engine::{CatalogueView, write_views};
use crate::snapshot::Manifest;
use crate::storage::TenantFiles;
use crate::{Error, Result};

/// Writes the catalogue to `target`, replacing what is there; returns its views. The data stay where they are:
/// the views read this folder's files, which never change.
///
/// # Errors
/// [`Error::Engine`] when it cannot be written, [`Error::Io`] when it cannot be put in its place.
pub fn write(files: &TenantFiles, manifest: &Manifest, target: &Path) -> Result<usize> {
    let mut views = Vec::with_capacity(manifest.tables.len());
    for (name, table) in &manifest.tables {
        let paths = table.files.iter().map(|file| files.path(&file.key)).collect::<Result<_>>()?;
        let comment = format!("{}; study {}, as of {}", table.grain, manifest.study, manifest.as_of);
        views.push(CatalogueView { schema: table.zone.name(), name: name.clone(), comment, files: paths });
    }
    let unfinished = target.with_extension("unfinished");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).map_err(|source| Error::io("clear", &unfinished, source))?;
    }
    write_views(&unfinished, &views)?;
    std::fs::rename(&unfinished, target).map_err(|source| Error::io("write", target, source))?;
    Ok(views.len())
}
