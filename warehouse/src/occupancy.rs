//! How much room files take: those of a tenant by zone, and what is left where they lie. Sizes are looked at, and no content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kernel::Grants;

use crate::snapshot::Zone;
use crate::storage::Storage;
use crate::{Error, Result};

/// The bytes of a tenant's files, as they count against the disk's room but for the rounding to blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupied {
    /// Every zone with its bytes, in the order of [`Zone::ALL`].
    pub zones: [(Zone, u64); Zone::ALL.len()],
    /// Everything besides: deliveries on their way, and the tenant's settings.
    pub rest: u64,
}

impl Occupied {
    /// The bytes of one zone.
    #[must_use]
    pub fn zone(&self, wanted: Zone) -> u64 {
        self.zones.iter().filter(|(zone, _)| *zone == wanted).map(|(_, bytes)| bytes).sum()
    }

    /// The bytes of everything.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rest + self.zones.iter().map(|(_, bytes)| bytes).sum::<u64>()
    }
}

impl Storage {
    /// How much room the files of the tenant take that was granted. Reads the size of every file: for a thread that may wait.
    ///
    /// # Errors
    /// [`Error::Io`] when a folder cannot be listed.
    pub fn occupied(&self, grants: &Grants) -> Result<Occupied> {
        let folder = self.root().join(grants.tenant().to_string());
        let mut occupied = Occupied { zones: Zone::ALL.map(|zone| (zone, 0)), rest: 0 };
        for (path, bytes) in files_below(folder.clone())? {
            let first = path.strip_prefix(&folder).ok().and_then(|rest| rest.components().next());
            let name = first.map(|first| first.as_os_str().to_string_lossy().into_owned());
            let zone = occupied.zones.iter_mut().find(|(zone, _)| Some(zone.name()) == name.as_deref());
            match zone {
                Some((_, sum)) => *sum += bytes,
                None => occupied.rest += bytes,
            }
        }
        Ok(occupied)
    }

    /// The bytes that this program may still write where the files lie; `None` where the system does not tell.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be looked at.
    #[cfg(unix)]
    pub fn free(&self) -> Result<Option<u64>> {
        let told = rustix::fs::statvfs(self.root())
            .map_err(|error| Error::io("look for free space in", self.root(), error.into()))?;
        Ok(Some(told.f_bavail.saturating_mul(told.f_frsize)))
    }

    /// The bytes that this program may still write where the files lie; `None` where the system does not tell.
    ///
    /// # Errors
    /// None on this system.
    #[cfg(not(unix))]
    pub fn free(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}

/// Every file below a folder with its bytes. What goes away meanwhile is passed over; links are not followed.
fn files_below(folder: PathBuf) -> Result<Vec<(PathBuf, u64)>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        let Some(entries) = there(&folder, fs::read_dir(&folder))? else { continue };
        for entry in entries {
            let Some(entry) = there(&folder, entry)? else { continue };
            let Some(metadata) = there(&folder, entry.metadata())? else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file() {
                found.push((entry.path(), metadata.len()));
            }
        }
    }
    Ok(found)
}

fn there<T>(folder: &Path, outcome: io::Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::io("list", folder, source)),
    }
}

#[cfg(test)]
mod tests {
    use kernel::TenantId;

    use super::*;

    fn grants(last: u8) -> Grants {
        let tenant: TenantId = format!("00000000-0000-0000-0000-00000000000{last}").parse().expect("an id");
        Grants::from_gate(tenant, Vec::new())
    }

    #[test]
    fn a_tenants_files_are_counted_by_zone_and_nobody_elses() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let storage = Storage::open(folder.path()).expect("it opens");
        let write = |tenant: u8, name: &str, bytes: usize| {
            let path = folder.path().join(grants(tenant).tenant().to_string()).join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("the folder takes folders");
            fs::write(path, vec![7; bytes]).expect("the folder takes files");
        };
        for (name, bytes) in [
            ("raw/S1/ab/one", 1_000),
            ("raw/S2/two", 200),
            ("canon/S1/subject/a.parquet", 30),
            ("marts/S1/x/y/z.parquet", 4),
            ("staging/S1/work/part", 50),
            ("settings/S1.toml", 6),
        ] {
            write(1, name, bytes);
        }
        write(2, "raw/S1/theirs", 9_999);
        let occupied = storage.occupied(&grants(1)).expect("it can be listed");
        let zones: Vec<u64> = [Zone::Raw, Zone::Canon, Zone::Star, Zone::Marts]
            .into_iter()
            .map(|zone| occupied.zone(zone))
            .collect();
        assert_eq!((zones, occupied.rest, occupied.total()), (vec![1_200, 30, 0, 4], 56, 1_290));
        let nothing = storage.occupied(&grants(3)).expect("nothing is no error");
        assert_eq!(nothing.total(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_counts_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let storage = Storage::open(folder.path()).expect("it opens");
        let own = folder.path().join(grants(1).tenant().to_string());
        fs::create_dir_all(&own).expect("the folder takes folders");
        let outside = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(outside.path().join("large"), [0; 4_096]).expect("the folder takes files");
        std::os::unix::fs::symlink(outside.path(), own.join("raw")).expect("the folder takes links");
        assert_eq!(storage.occupied(&grants(1)).expect("it can be listed").total(), 0);
    }

    /// The answer by `df`, which other programs may change in between.
    #[cfg(target_os = "linux")]
    #[test]
    fn free_space_is_what_the_system_says() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let storage = Storage::open(folder.path()).expect("it opens");
        let said = std::process::Command::new("df")
            .args(["--output=avail", "--block-size=1"])
            .arg(folder.path())
            .output()
            .expect("every Linux has df");
        let said = String::from_utf8_lossy(&said.stdout);
        let said: u64 = said.lines().last().and_then(|line| line.trim().parse().ok()).expect("a number");
        let free = storage.free().expect("the folder is there").expect("Linux tells");
        assert!(free.abs_diff(said) <= said / 10 + (1 << 30), "{free} and {said}");
    }
}
