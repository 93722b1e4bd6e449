//! A checkpoint: what a log commits to at one size. Its text is signed as a note.
//!
//! Source: C2SP tlog-checkpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ledger::note::{KeyKind, Note, NoteError, VerifierKey};
use crate::ledger::tree::{HASH_BYTES, Hash};

/// The tree of a log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The log.
    pub(crate) origin: String,
    /// How many events.
    pub(crate) size: u64,
    /// The tree's root.
    pub(crate) root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The checkpoint of a text; `None` unless it is one. Lines behind the third are left to others.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let rest = lines.all(|line| !line.is_empty());
        let root: Hash = decode_hash(root)?;
        let checkpoint = Self { origin: origin.to_owned(), size: decimal(size)?, root };
        (rest && !origin.is_empty()).then_some(checkpoint)
    }

    /// The checkpoint of a note that its log has signed, as the `keys` show, and who signed it. A key of type 1
    /// speaks for the log of its own name alone.
    pub(crate) fn of_note<'a>(
        note: &Note,
        keys: &'a [VerifierKey],
    ) -> Result<(Self, Vec<&'a VerifierKey>), NoteError> {
        let checkpoint = Self::parse(note.text()).ok_or(NoteError::Malformed)?;
        let verified = note.verified_by(keys)?;
        let by_log = |key: &&VerifierKey| key.kind() == KeyKind::Log && key.name() == checkpoint.origin;
        if verified.iter().any(by_log) {
            Ok((checkpoint, verified))
        } else {
            Err(NoteError::NoKnownSignature)
        }
    }
}

/// A hash in base64.
pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    let bytes = STANDARD.decode(text).ok()?;
    <[u8; HASH_BYTES]>::try_from(bytes).ok()
}

/// A number without leading zeros and signs.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_reads_as_it_was_written() {
        // Source: the example of C2SP tlog-checkpoint.
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).expect("it is a checkpoint");
        assert_eq!(
            (checkpoint.origin.as_str(), checkpoint.size),
            ("example.com/behind-the-sofa", 20_852_163)
        );
        assert_eq!(checkpoint.text(), text);
    }

    #[test]
    fn a_text_that_is_not_a_checkpoint_is_none() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let check =
            |text: String, is_one: bool| assert_eq!(Checkpoint::parse(&text).is_some(), is_one, "{text}");
        check(format!("a\n0\n{root}\n"), true);
        check(format!("a\n1\n{root}\nextension\n"), true);
        check(format!("a\n1\n{root}"), false);
        check(format!("a\n01\n{root}\n"), false);
        check(format!("a\n+1\n{root}\n"), false);
        check(format!("a\n-1\n{root}\n"), false);
        check(format!("\n1\n{root}\n"), false);
        check(format!("a\n1\n{root}\n\n"), false);
        check(format!("a\n1\n{}\n", &root[..40]), false);
        check("a\n1\n".to_owned(), false);
    }
}
