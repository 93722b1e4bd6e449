//! The bytes of what can be signed, and whether signatures still hold for them.

use control::{Record, RecordKind, SignatureRow, SignatureState};
use kernel::{Read, StudyScope};

use crate::app::App;
use crate::error::Result;
use crate::work::blocking;

/// The bytes of a record of a study; `None` when there is none.
pub(crate) async fn bytes(
    app: &App,
    scope: &StudyScope<Read>,
    kind: RecordKind,
    id: &str,
) -> Result<Option<Vec<u8>>> {
    match kind {
        RecordKind::Snapshot => {
            let Ok(id) = id.parse() else { return Ok(None) };
            let Some(row) = app.control.snapshot(scope, id).await? else { return Ok(None) };
            let files = app.storage.study(scope);
            // A manifest that cannot be read is gone, as far as a signature is concerned.
            blocking(move || Ok(files.read(&row.manifest_key).ok())).await
        }
        RecordKind::Delivery => {
            let Ok(id) = id.parse() else { return Ok(None) };
            Ok(app.control.delivery_receipt(scope, id).await?.map(String::into_bytes))
        }
    }
}

/// A record as it is at this moment; `None` when there is none.
pub(crate) async fn present(
    app: &App,
    scope: &StudyScope<Read>,
    kind: RecordKind,
    id: &str,
) -> Result<Option<Record>> {
    let bytes = bytes(app, scope, kind, id).await?;
    Ok(bytes.map(|bytes| Record::of(kind, id, &bytes)))
}

/// The signatures of a study, oldest first, each with whether it holds.
pub(crate) async fn judged(
    app: &App,
    scope: &StudyScope<Read>,
) -> Result<Vec<(SignatureRow, SignatureState)>> {
    let mut judged = Vec::new();
    for row in app.control.signatures(scope).await? {
        let now = present(app, scope, row.record.kind, &row.record.id).await?;
        let state = row.state(now.as_ref().map(|record| record.sha256.as_str()));
        judged.push((row, state));
    }
    Ok(judged)
}
