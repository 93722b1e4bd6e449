//! A witness: somebody elsewhere who signs that a log only grows. It keeps the last checkpoint of each log it
//! knows and signs the next one only with a proof that the first is its beginning. Then the operator cannot show
//! different logs to different people.
//!
//! Source: C2SP tlog-witness (`add-checkpoint`) and C2SP tlog-cosignature.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;

use crate::error::ControlError;
use crate::identity::open_key;
use crate::ledger::checkpoint::{Checkpoint, decimal, decode_hash};
use crate::ledger::folder::LogFolder;
use crate::ledger::note::{self, KeyKind, MAX_NOTE_BYTES, Note, NoteError, VerifierKey, is_key_name};
use crate::ledger::tree::proof::consistency_holds;
use crate::ledger::tree::{Frontier, Hash};
use crate::store::private_folder;

const MAX_HASHES: usize = 63;
/// The largest request that is read.
pub const MAX_REQUEST_BYTES: usize = 2 * MAX_NOTE_BYTES;

/// A witness over its folder: its key, the keys of the logs that it knows, and the last checkpoint of each.
pub struct Witness {
    folder: PathBuf,
    name: String,
    key: SigningKey,
}

/// Why a witness does not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessRefusal {
    /// Not a request.
    #[error("it is not a request: expected `old <size>`, lines of the proof, an empty line and a checkpoint")]
    Malformed,
    /// The old size is larger than the new one.
    #[error("the old size is larger than the checkpoint's")]
    Backwards,
    /// The log is not one that the witness knows.
    #[error("the log `{origin}` is not known here: add its key with `cairn audit witness trust`")]
    UnknownLog {
        /// The log's name.
        origin: String,
    },
    /// The checkpoint bears no signature of the log.
    #[error("the checkpoint is not signed by a known key of its log")]
    NotSigned,
    /// The proof begins elsewhere than at the last checkpoint.
    #[error("the last checkpoint signed here is of {size} events: send the proof from there")]
    Conflict {
        /// The size of the last checkpoint that the witness has signed.
        size: u64,
    },
    /// A log of the same size with another root: it has forked.
    #[error(
        "another tree of {size} events was signed here: keep this request, it proves that the log has forked"
    )]
    Forked {
        /// The size.
        size: u64,
    },
    /// The proof does not hold.
    #[error("the proof does not show that the log only grew: keep this request, it may prove a fork")]
    Inconsistent,
    /// The witness cannot work.
    #[error(transparent)]
    Failed(#[from] ControlError),
}

impl WitnessRefusal {
    /// The status by which the refusal is told over HTTP.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Malformed | Self::Backwards => 400,
            Self::NotSigned => 403,
            Self::UnknownLog { .. } => 404,
            Self::Conflict { .. } | Self::Forked { .. } => 409,
            Self::Inconsistent => 422,
            Self::Failed(_) => 500,
        }
    }
}

impl Witness {
    /// Opens a witness's folder, and makes it, its key and its name at first.
    ///
    /// # Errors
    /// When the name has spaces or plus signs, the folder belongs to a witness of another name, or a file
    /// cannot be read.
    pub fn open(folder: &Path, name: Option<&str>) -> Result<Self, ControlError> {
        let path = folder.join("name");
        let known = fs::read_to_string(&path).ok().map(|known| known.trim_end().to_owned());
        let usable = |name: &&str| is_key_name(name) && known.as_deref().is_none_or(|known| known == *name);
        let name =
            name.filter(usable).map(str::to_owned).or_else(|| known.clone().filter(|_| name.is_none()));
        let name = name.ok_or_else(|| ControlError::WitnessName { path: path.clone() })?;
        let key = open_key(&folder.join("witness.key"))?;
        private_folder(folder)?;
        if known.is_none() {
            fs::write(&path, format!("{name}\n")).map_err(failed("write", &path))?;
        }
        Ok(Self { folder: folder.to_owned(), name, key })
    }

    /// The line by which others know the witness's signatures.
    #[must_use]
    pub fn verifier_key(&self) -> VerifierKey {
        VerifierKey::new(self.name.clone(), KeyKind::Witness, self.key.verifying_key())
    }

    /// Signs for a log from now on. Its operator has to have told the key; the data cannot.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn trust(&self, key: &VerifierKey) -> Result<(), ControlError> {
        let path = self.folder.join("logs");
        let _guard = self.lock()?;
        if self.logs()?.contains(key) {
            return Ok(());
        }
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let written = opened.and_then(|mut file| writeln!(file, "{key}").and_then(|()| file.sync_all()));
        written.map_err(failed("write", &path))
    }

    fn logs(&self) -> Result<Vec<VerifierKey>, ControlError> {
        let path = self.folder.join("logs");
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            text => Ok(text
                .map_err(failed("read", &path))?
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect()),
        }
    }

    /// Answers a request with the witness's signature line, after the checkpoint is on its disk.
    ///
    /// # Errors
    /// Why it does not sign. For [`WitnessRefusal::Conflict`] the answer's body is the size.
    pub fn add_checkpoint(&self, request: &[u8], now: DateTime<Utc>) -> Result<String, WitnessRefusal> {
        let request = Request::parse(request).ok_or(WitnessRefusal::Malformed)?;
        let claimed = Checkpoint::parse(request.note.text()).ok_or(WitnessRefusal::Malformed)?;
        let keys: Vec<VerifierKey> =
            self.logs()?.into_iter().filter(|key| key.name() == claimed.origin).collect();
        if keys.is_empty() {
            return Err(WitnessRefusal::UnknownLog { origin: claimed.origin });
        }
        let (checkpoint, _) = Checkpoint::of_note(&request.note, &keys).map_err(|error| match error {
            NoteError::Malformed => WitnessRefusal::Malformed,
            _ => WitnessRefusal::NotSigned,
        })?;
        if request.old > checkpoint.size {
            return Err(WitnessRefusal::Backwards);
        }
        // One request at a time: between the comparison and the writing nobody may move the log's state.
        let _guard = self.lock()?;
        let folder = LogFolder::of_log(&self.folder.join("signed"), &checkpoint.origin);
        let (last_size, last_root) = self.last(&folder, &keys)?;
        if request.old != last_size {
            return Err(WitnessRefusal::Conflict { size: last_size });
        }
        if last_size == checkpoint.size && last_root != checkpoint.root {
            return Err(WitnessRefusal::Forked { size: last_size });
        }
        let new = (checkpoint.size, &checkpoint.root);
        if !consistency_holds((last_size, &last_root), new, &request.proof) {
            return Err(WitnessRefusal::Inconsistent);
        }
        if last_size < checkpoint.size {
            folder.write_checkpoint(checkpoint.size, &request.note.to_string())?;
        }
        let time = u64::try_from(now.timestamp()).unwrap_or(0);
        Ok(note::cosign(request.note.text(), &self.name, &self.key, time))
    }

    /// The last tree of a log that was signed; at first the empty one.
    fn last(&self, folder: &LogFolder, keys: &[VerifierKey]) -> Result<(u64, Hash), WitnessRefusal> {
        let Some(size) = folder.last_checkpoint()? else { return Ok((0, Frontier::new().root())) };
        let unusable = || ControlError::AnchorUnusable {
            path: folder.path().to_owned(),
            size,
            reason: "it is not what was signed".to_owned(),
        };
        let bytes = folder.checkpoint(size)?.ok_or_else(unusable)?;
        let note = Note::parse(&bytes).map_err(|_| unusable())?;
        let (checkpoint, _) = Checkpoint::of_note(&note, keys).map_err(|_| unusable())?;
        Ok((checkpoint.size, checkpoint.root))
    }

    fn lock(&self) -> Result<File, ControlError> {
        let path = self.folder.join("lock");
        let file = File::create(&path).map_err(failed("make", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A request to sign a checkpoint.
struct Request {
    old: u64,
    proof: Vec<Hash>,
    note: Note,
}

impl Request {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_REQUEST_BYTES)?;
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = decimal(lines.next()?.strip_prefix("old ")?)?;
        let proof = lines.map(decode_hash).collect::<Option<Vec<_>>>()?;
        let note = Note::parse(note.as_bytes()).ok()?;
        (proof.len() <= MAX_HASHES).then_some(Self { old, proof, note })
    }
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ControlError {
    let path = path.to_owned();
    move |source| ControlError::File { step, path, source }
}
