//! What every door and every command works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use control::{Control, ControlSettings};
use flight::Published;
use kernel::{Clock, Grants, SystemClock};
use warehouse::Storage;

use crate::error::{Failure, Result};
use crate::mart_rows::MartRows;
use crate::occupancy::{Measured, Occupancy};
use crate::openlineage::OpenLineage;

/// The program over one data folder. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct App {
    /// Who may do what, and the ledger.
    pub control: Control,
    /// Where the bytes are.
    pub storage: Storage,
    /// What readers see.
    pub published: Published,
    /// The small tables behind the pages, in memory.
    pub mart_rows: MartRows,
    /// How much room the tenants' files take.
    pub occupancy: Occupancy,
    /// Where builds of marts are told as OpenLineage events.
    pub openlineage: Option<Arc<OpenLineage>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl App {
    /// Opens a data folder, making what is not there, with the control plane in SQLite files of the folder.
    ///
    /// # Errors
    /// When the folder or the control database cannot be opened.
    pub async fn open(data: &Path) -> Result<Self> {
        Self::open_at(data, &ControlSettings::default()).await
    }

    /// The same, with the control plane as the settings say.
    ///
    /// # Errors
    /// As [`App::open`], when SQLite is to serve several replicas, and when the ledger contradicts its copy.
    pub async fn open_at(data: &Path, settings: &ControlSettings) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let storage = Storage::open(&warehouse_folder(data)).map_err(Failure::from)?;
        let control = Control::open_at(data, settings, clock.clone()).await?;
        let published = Published::new(control.clone(), storage.clone());
        let mart_rows = MartRows::new(published.clone());
        let occupancy = Occupancy::default();
        Ok(Self { mart_rows, control, storage, published, occupancy, openlineage: None, clock })
    }

    /// How much room the files of the tenant take that was granted, as it was within the last minute or so.
    ///
    /// # Errors
    /// When the files cannot be looked at.
    pub async fn occupied(&self, grants: &Grants) -> Result<Measured> {
        self.occupancy.of(&self.storage, grants, self.clock.as_ref()).await
    }
}

/// Where the warehouse's files stand in a data folder.
#[must_use]
pub fn warehouse_folder(data: &Path) -> PathBuf {
    data.join("warehouse")
}
