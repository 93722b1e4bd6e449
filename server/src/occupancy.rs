//! How much room a tenant's files take, measured when somebody asks and kept for a while: a walk over a large folder is not
//! made for every request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use kernel::{Clock, Grants, TenantId};
use warehouse::Storage;
use warehouse::occupancy::Occupied;

use crate::error::{Failure, Result};
use crate::work::blocking;

/// How long a measurement is kept at least,
const KEPT: Duration = Duration::from_secs(60);
/// and how many times as long as it took: at most a twentieth of one thread goes into it.
const TIMES_ITS_COST: u32 = 20;

/// The measurements of every tenant. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Occupancy {
    tenants: Arc<Mutex<BTreeMap<TenantId, Place>>>,
}

/// Who comes while a tenant's files are measured waits for that, and measures nothing.
type Place = Arc<tokio::sync::Mutex<Option<Kept>>>;

#[derive(Debug)]
struct Kept {
    measured: Measured,
    until: Instant,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// When.
    pub at: DateTime<Utc>,
    /// The bytes of the tenant's files.
    pub occupied: Occupied,
    /// The bytes that are free where all tenants' files lie; `None` where the system does not tell.
    pub free: Option<u64>,
}

impl Occupancy {
    /// The room that the files of the tenant take that was granted, as it was within the last minute or so.
    ///
    /// # Errors
    /// When the files cannot be looked at.
    pub async fn of(&self, storage: &Storage, grants: &Grants, clock: &dyn Clock) -> Result<Measured> {
        let place = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(tenants.entry(grants.tenant()).or_default())
        };
        let mut kept = place.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.measured.clone());
        }
        let (began, at) = (Instant::now(), clock.now());
        let (storage, grants) = (storage.clone(), grants.clone());
        let look = move || {
            let occupied = storage.occupied(&grants).map_err(Failure::from)?;
            Ok((occupied, storage.free().map_err(Failure::from)?))
        };
        let (occupied, free) = blocking(look).await?;
        let measured = Measured { at, occupied, free };
        let until = Instant::now() + KEPT.max(began.elapsed() * TIMES_ITS_COST);
        *kept = Some(Kept { measured: measured.clone(), until });
        Ok(measured)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use kernel::SystemClock;

    use super::*;

    #[tokio::test]
    async fn a_measurement_is_kept_and_each_tenant_has_its_own() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let storage = Storage::open(folder.path()).expect("it opens");
        let grants = |last: u8| {
            let tenant = format!("00000000-0000-0000-0000-00000000000{last}").parse().expect("an id");
            Grants::from_gate(tenant, Vec::new())
        };
        let write = |name: &str| {
            let raw = folder.path().join(grants(1).tenant().to_string()).join("raw");
            fs::create_dir_all(&raw).expect("the folder takes folders");
            fs::write(raw.join(name), [0; 100]).expect("the folder takes files");
        };
        let occupancy = Occupancy::default();
        let total = async |last: u8| {
            let measured = occupancy.of(&storage, &grants(last), &SystemClock).await;
            measured.expect("it can be measured").occupied.total()
        };
        write("one");
        assert_eq!((total(1).await, total(2).await), (100, 0));
        write("two");
        assert_eq!(total(1).await, 100, "it is kept for a minute");
        assert_eq!(
            Occupancy::default()
                .of(&storage, &grants(1), &SystemClock)
                .await
                .expect("it can be measured")
                .occupied
                .total(),
            200
        );
    }
}
