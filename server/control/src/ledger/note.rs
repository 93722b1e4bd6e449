//! Signed notes: a text and the signatures of those who stand behind it, as plain text.
//!
//! Source: C2SP signed-note (notes, keys of type 1) and C2SP tlog-cosignature (keys of type 4).

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// A note that is larger than this is refused. Sixteen signatures, post-quantum ones too, have room in it.
pub(crate) const MAX_NOTE_BYTES: usize = 256 * 1024;
const MAX_SIGNATURES: usize = 64;
const SIGNATURE_MARK: &str = "\u{2014} ";
const KEY_ID_BYTES: usize = 4;
const TIME_BYTES: usize = 8;

/// What a key's signatures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The log's own: this is my tree.
    Log,
    /// A witness's: at this second I have seen no larger tree of this log, and it contradicts no earlier one.
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }
}

/// The public half of a key that signs notes, as one line: `<name>+<id>+<key>`. Whoever verifies has to get it
/// from somewhere else than the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

/// A line is not a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a verifier key: expected `<name>+<8 hexadecimal digits>+<base64>` of an Ed25519 key")]
pub struct InvalidVerifierKey;

impl VerifierKey {
    pub(crate) const fn new(name: String, kind: KeyKind, key: VerifyingKey) -> Self {
        Self { name, kind, key }
    }

    /// The key of a public half; `None` when the bytes are none.
    pub(crate) fn of_bytes(name: &str, kind: KeyKind, bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(|key| Self { name: name.to_owned(), kind, key })
    }

    /// Who signs with it; for a log's key, the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its signatures say.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    fn id(&self) -> [u8; KEY_ID_BYTES] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key.as_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let message = match self.kind {
            KeyKind::Log => Some((text.to_owned(), signature)),
            KeyKind::Witness => signature
                .split_first_chunk::<TIME_BYTES>()
                .map(|(time, rest)| (cosigned(u64::from_be_bytes(*time), text), rest)),
        };
        // Strict verification takes each message with one signature alone.
        message.is_some_and(|(message, signature)| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| self.key.verify_strict(message.as_bytes(), &signature).is_ok())
        })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[self.kind.byte()], self.key.as_bytes().as_slice()].concat());
        write!(f, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id()))
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidVerifierKey;

    fn from_str(line: &str) -> Result<Self, InvalidVerifierKey> {
        let read = || {
            let mut parts = line.splitn(3, '+');
            let (name, _, encoded) = (parts.next()?, parts.next()?, parts.next()?);
            let bytes = STANDARD.decode(encoded).ok()?;
            let (kind, key) = bytes.split_first()?;
            let kind = [KeyKind::Log, KeyKind::Witness].into_iter().find(|known| known.byte() == *kind)?;
            let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
            is_key_name(name).then(|| Self { name: name.to_owned(), kind, key })
        };
        // The id follows from the rest, so that writing the key again shows whether it was right.
        read().filter(|key: &Self| key.to_string() == line).ok_or(InvalidVerifierKey)
    }
}

/// Why a note is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a note.
    #[error("it is not a signed note: expected a text, an empty line and lines of signatures")]
    Malformed,
    /// A key that the reader knows did not make the signature that bears its name.
    #[error("the signature of `{name}` does not fit the text")]
    BadSignature {
        /// The key's name.
        name: String,
    },
    /// Nobody whom the reader knows has signed.
    #[error("no signature is from a known key")]
    NoKnownSignature,
}

/// A text with signatures, whose signatures are not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    id: [u8; KEY_ID_BYTES],
    signature: Vec<u8>,
}

impl Note {
    /// Reads a note. Every byte counts: what this returns is written back as the same bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let read = || {
            let whole = std::str::from_utf8(bytes).ok().filter(|whole| whole.len() <= MAX_NOTE_BYTES)?;
            let plain = whole.chars().all(|c| c >= ' ' || c == '\n');
            let split = whole.rfind("\n\n").filter(|_| plain)?;
            let (text, lines) = (&whole[..=split], &whole[split + 2..]);
            let lines: Vec<&str> = lines.strip_suffix('\n')?.split('\n').collect();
            let signatures = lines.into_iter().map(NoteSignature::parse).collect::<Option<Vec<_>>>()?;
            let note = Self { text: text.to_owned(), signatures };
            (note.signatures.len() <= MAX_SIGNATURES && note.to_string() == whole).then_some(note)
        };
        read().ok_or(NoteError::Malformed)
    }

    /// The signed text, with its last line's end.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds the signature lines of somebody else, as a witness returns them.
    pub(crate) fn with_signatures(mut self, lines: &str) -> Result<Self, NoteError> {
        for line in lines.lines() {
            let signature = NoteSignature::parse(line).ok_or(NoteError::Malformed)?;
            if !self.signatures.contains(&signature) {
                self.signatures.push(signature);
            }
        }
        Ok(self)
    }

    /// The text alone, for signatures of others.
    pub(crate) fn without_signatures(self) -> Self {
        Self { signatures: Vec::new(), ..self }
    }

    /// The line that bears a key's name and id, with its end.
    pub(crate) fn signature_of(&self, key: &VerifierKey) -> Option<String> {
        let own = |signature: &&NoteSignature| signature.name == key.name && signature.id == key.id();
        self.signatures.iter().find(own).map(|signature| format!("{signature}\n"))
    }

    /// The keys whose signatures were verified, in the order of the note. Unknown keys are passed over; a
    /// signature of a known key that does not fit refuses the whole note.
    pub(crate) fn verified_by<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<&'a VerifierKey>, NoteError> {
        let mut verified = Vec::new();
        for signature in &self.signatures {
            let known = keys.iter().find(|key| key.name == signature.name && key.id() == signature.id);
            let Some(key) = known else { continue };
            if !key.verifies(&self.text, &signature.signature) {
                return Err(NoteError::BadSignature { name: key.name.clone() });
            }
            verified.push(key);
        }
        if verified.is_empty() { Err(NoteError::NoKnownSignature) } else { Ok(verified) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<KEY_ID_BYTES>()?;
        let whole = is_key_name(name) && !signature.is_empty();
        whole.then(|| Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&self.id, self.signature.as_slice()].concat());
        write!(f, "{SIGNATURE_MARK}{} {encoded}", self.name)
    }
}

/// The note of a text that a log signs.
pub(crate) fn sign(text: &str, name: &str, key: &SigningKey) -> Note {
    let id = VerifierKey::new(name.to_owned(), KeyKind::Log, key.verifying_key()).id();
    let signature = key.sign(text.as_bytes()).to_bytes().to_vec();
    Note { text: text.to_owned(), signatures: vec![NoteSignature { name: name.to_owned(), id, signature }] }
}

/// The signature line of a witness below a checkpoint's text, at a second since 1970.
pub(crate) fn cosign(text: &str, name: &str, key: &SigningKey, time: u64) -> String {
    let id = VerifierKey::new(name.to_owned(), KeyKind::Witness, key.verifying_key()).id();
    let signed = key.sign(cosigned(time, text).as_bytes()).to_bytes();
    let signature = [time.to_be_bytes().as_slice(), &signed].concat();
    format!("{}\n", NoteSignature { name: name.to_owned(), id, signature })
}

fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A name without spaces and plus signs, so that lines split in one way.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}
