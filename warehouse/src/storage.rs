//! Where bytes live: an object store, by default a folder. One tenant's handle names keys under its own
//! prefix and no others; a published object is never changed.
//!
//! Layout: `<root>/<tenant>/<zone>/<study>/…`. Work in progress stands under `<tenant>/staging/` and is
//! invisible until it is moved to its final, content-addressed name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use kernel::{Action, Build, StudyId, StudyScope, TenantId};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::snapshot::{DataFile, Zone};
use crate::{Error, Result};

/// No setting is longer.
const SETTING_BYTES: u64 = 1 << 20;

/// The root of all data.
#[derive(Debug, Clone)]
pub struct Storage {
    root: PathBuf,
    store: Arc<dyn ObjectStore>,
}

impl Storage {
    /// Opens the folder `root`, making it if it is not there.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be made or read.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|source| Error::io("make the data folder", root, source))?;
        let root = root.canonicalize().map_err(|source| Error::io("open the data folder", root, source))?;
        let store = LocalFileSystem::new_with_prefix(&root).map_err(|source| Error::Storage {
            step: "open",
            key: String::new(),
            source,
        })?;
        Ok(Self { root, store: Arc::new(store) })
    }

    /// The folder of all data.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The files of the study that `scope` opens.
    #[must_use]
    pub fn study<A: Action>(&self, scope: &StudyScope<A>) -> TenantFiles {
        TenantFiles { storage: self.clone(), tenant: scope.tenant(), study: scope.study().clone() }
    }
}

/// The files of one study of one tenant; made from a scope, names no other tenant's keys.
#[derive(Debug, Clone)]
pub struct TenantFiles {
    storage: Storage,
    tenant: TenantId,
    study: StudyId,
}

impl TenantFiles {
    /// The tenant whose files these are.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The study whose files these are.
    #[must_use]
    pub const fn study(&self) -> &StudyId {
        &self.study
    }

    /// The folder of this study in `zone`, where an engine may read.
    #[must_use]
    pub fn folder(&self, zone: Zone) -> PathBuf {
        self.storage.root.join(self.key(zone, ""))
    }

    /// The folder of the tenant, which holds every zone.
    pub(crate) fn tenant_folder(&self) -> PathBuf {
        self.storage.root.join(self.tenant.to_string())
    }

    pub(crate) fn staging(&self, work: &str) -> PathBuf {
        self.storage.root.join(format!("{}/staging/{}/{work}", self.tenant, self.study))
    }

    fn key(&self, zone: Zone, name: &str) -> String {
        let folder = format!("{}/{}/{}", self.tenant, zone.name(), self.study);
        if name.is_empty() { folder } else { format!("{folder}/{name}") }
    }

    /// The path of a published object, for an engine on this machine.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the key is outside this study.
    pub fn path(&self, key: &str) -> Result<PathBuf> {
        let outside =
            || Error::Corrupt { key: key.to_owned(), reason: "it names another study's file".into() };
        let mut parts = key.split('/');
        let tenant = parts.next().unwrap_or_default();
        let (_, study) = (parts.next(), parts.next().unwrap_or_default());
        let climbs = key.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        if tenant != self.tenant.to_string() || study != self.study.as_str() || climbs {
            return Err(outside());
        }
        Ok(self.storage.root.join(key))
    }

    /// The objects of this tenant and of no other, for an engine that reads by itself.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(self.storage.store.clone(), self.tenant.to_string()))
    }

    /// The name of a published object in [`TenantFiles::store`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the key is outside this study.
    pub fn name_in_store<'a>(&self, key: &'a str) -> Result<&'a str> {
        self.path(key)?;
        Ok(key.split_once('/').map_or(key, |(_, name)| name))
    }

    /// An object's bytes.
    ///
    /// # Errors
    /// [`Error::Storage`] when it is not there.
    pub fn read(&self, key: &str) -> Result<Vec<u8>> {
        self.path(key)?;
        let key_of = plain(key)?;
        let failed = |source| Error::Storage { step: "read", key: key.to_owned(), source };
        block_on(async {
            let object = self.storage.store.get(&key_of).await.map_err(failed)?;
            object.bytes().await.map(|bytes| bytes.to_vec()).map_err(failed)
        })
    }

    /// The text of one of the tenant's own settings, a file below `<tenant>/settings/` that its operator writes; none
    /// when there is no such file.
    ///
    /// # Errors
    /// [`Error::Io`] when it is there and cannot be read as text, or is longer than any setting.
    pub fn setting(&self, name: &str) -> Result<Option<String>> {
        let path = self.storage.root.join(format!("{}/settings/{name}", self.tenant));
        let failed = |source| Error::io("read the setting", &path, source);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let mut text = String::new();
        file.take(SETTING_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > SETTING_BYTES {
            return Err(failed(io::Error::other(format!("it is longer than {SETTING_BYTES} bytes"))));
        }
        Ok(Some(text))
    }

    /// Where the study's conformance rules are kept, among the tenant's settings.
    pub(crate) fn rules_folder(&self) -> PathBuf {
        self.storage.root.join(format!("{}/settings/{}.rules", self.tenant, self.study))
    }

    /// Whether every byte of a published file is what its manifest says.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not.
    pub fn check(&self, file: &DataFile) -> Result<()> {
        let (hash, bytes) = hash_file(&self.path(&file.key)?)?;
        if hash == file.blake3 && bytes == file.bytes {
            return Ok(());
        }
        Err(Error::Corrupt { key: file.key.clone(), reason: format!("its BLAKE3 is {hash}") })
    }
}

/// The one who writes in a study: conforms deliveries, builds tables. There is one at a time, in whatever
/// process; the system lets go of the place when the process dies.
#[derive(Debug)]
pub struct Writer {
    files: TenantFiles,
    scope: StudyScope<Build>,
    _lock: File,
}

impl Writer {
    /// Waits until nobody else writes in the study.
    ///
    /// # Errors
    /// [`Error::Io`] when the lock cannot be made or waited for.
    pub fn wait(storage: &Storage, scope: &StudyScope<Build>) -> Result<Self> {
        let files = storage.study(scope);
        let path = files.staging("lock");
        let place = files.staging("");
        fs::create_dir_all(&place).map_err(|source| Error::io("make", &place, source))?;
        let lock = File::create(&path).map_err(|source| Error::io("make", &path, source))?;
        lock.lock().map_err(|source| Error::io("wait for the writer that holds", &path, source))?;
        Ok(Self { files, scope: scope.clone(), _lock: lock })
    }

    /// The files it writes.
    pub(crate) const fn files(&self) -> &TenantFiles {
        &self.files
    }

    /// The file that says that it is at work.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.files.staging("lock")
    }

    /// The study.
    #[must_use]
    pub const fn scope(&self) -> &StudyScope<Build> {
        &self.scope
    }
}

/// A folder for work in progress. What is not published from it is removed with it.
#[derive(Debug)]
pub struct Staging {
    files: TenantFiles,
    folder: PathBuf,
}

impl Staging {
    /// A new, empty folder of that name for one piece of the writer's work. What a process that died left in a
    /// folder of the same name is removed first.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made.
    pub fn new(writer: &Writer, work: &str) -> Result<Self> {
        let files = writer.files.clone();
        let folder = files.staging(work);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|source| Error::io("clear", &folder, source))?;
        }
        fs::create_dir_all(&folder).map_err(|source| Error::io("make", &folder, source))?;
        Ok(Self { files, folder })
    }

    /// The files that this work publishes to.
    #[must_use]
    pub const fn files(&self) -> &TenantFiles {
        &self.files
    }

    /// The folder itself, where an engine may write.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file to be written here.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Moves a finished file to its final name, which carries its content's hash, and makes it read-only.
    /// The same content published twice is one object.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Storage`] when it cannot be moved; nothing is half published.
    pub fn publish(&self, name: &str, zone: Zone, stem: &str, rows: u64) -> Result<DataFile> {
        self.publish_sealed(self.seal(name)?, zone, stem, rows)
    }

    /// Makes a finished file durable and read-only, and takes its hash. It stays where it is.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read or changed.
    pub fn seal(&self, name: &str) -> Result<Sealed> {
        let path = self.path(name);
        let (blake3, bytes) = hash_file(&path)?;
        seal(&path)?;
        Ok(Sealed { path, bytes, blake3 })
    }

    /// The second half of [`Staging::publish`].
    ///
    /// # Errors
    /// [`Error::Storage`] when the file cannot be moved; nothing is half published.
    pub fn publish_sealed(&self, sealed: Sealed, zone: Zone, stem: &str, rows: u64) -> Result<DataFile> {
        let Sealed { path, bytes, blake3 } = sealed;
        let suffix =
            path.extension().map_or_else(String::new, |suffix| format!(".{}", suffix.to_string_lossy()));
        let key = self.files.key(zone, &format!("{stem}-{}{suffix}", &blake3[..16]));
        self.move_to(&path, &key)?;
        Ok(DataFile { key, rows, bytes, blake3, made_of: None })
    }

    /// Writes `bytes` under a name that carries their hash.
    ///
    /// # Errors
    /// As [`Staging::publish`].
    pub fn publish_bytes(&self, bytes: &[u8], zone: Zone, name: &str) -> Result<String> {
        let path = self.path("object");
        fs::write(&path, bytes).map_err(|source| Error::io("write", &path, source))?;
        let key = self.files.key(zone, name);
        seal(&path)?;
        self.move_to(&path, &key)?;
        Ok(key)
    }

    /// Gives a sealed file its final name.
    fn move_to(&self, path: &Path, key: &str) -> Result<()> {
        let from = path.strip_prefix(&self.files.storage.root).unwrap_or(path).to_string_lossy().into_owned();
        let moved = block_on(self.files.storage.store.rename_if_not_exists(&plain(&from)?, &plain(key)?));
        match moved {
            // The name carries the content's hash: what is there already is the same.
            Ok(()) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(source) => Err(Error::Storage { step: "publish", key: key.to_owned(), source }),
        }
    }
}

/// A file that nobody changes any more, and its hash.
#[derive(Debug)]
pub struct Sealed {
    path: PathBuf,
    bytes: u64,
    blake3: String,
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, "a staging folder could not be removed; the next run of its work clears it");
        }
    }
}

/// A key as it is, not encoded: names of delivered files hold what people write.
fn plain(key: &str) -> Result<Key> {
    Key::parse(key).map_err(|error| Error::Corrupt { key: key.to_owned(), reason: error.to_string() })
}

/// Makes a file durable and read-only.
fn seal(path: &Path) -> Result<()> {
    let failed = |source| Error::io("seal", path, source);
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    let mut permissions = fs::metadata(path).map_err(failed)?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).map_err(failed)
}

/// BLAKE3 of a file in hexadecimal, and its length in bytes, read in pieces.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn hash_file(path: &Path) -> Result<(String, u64)> {
    let failed = |source: io::Error| Error::io("read", path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).map_err(failed)?;
        if read == 0 {
            return Ok((hasher.finalize().to_hex().to_string(), hasher.count()));
        }
        hasher.update(&piece[..read]);
    }
}
