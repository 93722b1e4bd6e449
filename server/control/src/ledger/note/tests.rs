use super::*;

// Source: the examples in the documentation of `golang.org/x/mod/sumdb/note`, whose format signed-note is.
const NEUMANN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn verifier(name: &str, kind: KeyKind, seed: u8) -> VerifierKey {
    VerifierKey::new(name.to_owned(), kind, key(seed).verifying_key())
}

fn names(note: &Note, keys: &[VerifierKey]) -> Result<Vec<String>, NoteError> {
    Ok(note.verified_by(keys)?.into_iter().map(|key| key.name().to_owned()).collect())
}

#[test]
fn a_note_of_the_first_implementation_verifies() {
    let key: VerifierKey = NEUMANN_KEY.parse().expect("it is a key");
    assert_eq!(key.to_string(), NEUMANN_KEY);
    let note = Note::parse(NEUMANN_NOTE.as_bytes()).expect("it is a note");
    assert_eq!(names(&note, &[key]), Ok(vec!["PeterNeumann".to_owned()]));
}

#[test]
fn a_note_reads_back_with_every_byte() {
    let note = sign("a\n\nb\n", "log.example/a", &key(1));
    let text = note.to_string();
    assert_eq!(Note::parse(text.as_bytes()), Ok(note));
    for broken in [
        text.trim_end_matches('\n').to_owned(),
        format!("{text}\n"),
        text.replace("\u{2014} ", "- "),
        text.replace("\u{2014} ", "\u{2014}  "),
        text.replace("a\n\nb", "a\r\n\nb"),
        text.replace("log.example/a", "log+a"),
        text.replace("log.example/a", ""),
        "a\n\n".to_owned(),
        String::new(),
        "x".repeat(MAX_NOTE_BYTES + 1),
    ] {
        assert_eq!(Note::parse(broken.as_bytes()), Err(NoteError::Malformed), "{broken:.80}");
    }
    assert_eq!(Note::parse(b"a\n\xff\n\n"), Err(NoteError::Malformed));
}

#[test]
fn unknown_keys_are_passed_over_and_a_known_one_must_fit() {
    let log = verifier("log.example/a", KeyKind::Log, 1);
    let note = sign("text\n", "log.example/a", &key(1));
    assert_eq!(names(&note, &[]), Err(NoteError::NoKnownSignature));
    assert_eq!(names(&note, &[verifier("log.example/b", KeyKind::Log, 1)]), Err(NoteError::NoKnownSignature));
    assert_eq!(names(&note, &[verifier("log.example/a", KeyKind::Log, 2)]), Err(NoteError::NoKnownSignature));

    let stranger = sign("other\n", "stranger", &key(3)).signatures[0].to_string();
    let with_stranger = note.clone().with_signatures(&stranger).expect("it is a line");
    assert_eq!(names(&with_stranger, std::slice::from_ref(&log)), Ok(vec!["log.example/a".to_owned()]));

    let mut forged = note;
    forged.text = "another text\n".to_owned();
    assert_eq!(names(&forged, &[log]), Err(NoteError::BadSignature { name: "log.example/a".to_owned() }));
}

#[test]
fn sixteen_signatures_are_read_and_each_known_one_is_verified() {
    let mut note = sign("text\n", "log.example/a", &key(1));
    for seed in 2..=16 {
        let name = format!("witness.example/{seed}");
        note =
            note.with_signatures(&cosign("text\n", &name, &key(seed), 1_800_000_000)).expect("it is a line");
    }
    let note = Note::parse(note.to_string().as_bytes()).expect("it is a note");
    let keys: Vec<_> =
        (2..=16).map(|seed| verifier(&format!("witness.example/{seed}"), KeyKind::Witness, seed)).collect();
    assert_eq!(names(&note, &keys).map(|names| names.len()), Ok(15));
    // The last of them fails, and with it the note.
    let mut broken = note;
    broken.signatures[15].signature[20] ^= 1;
    assert!(matches!(names(&broken, &keys), Err(NoteError::BadSignature { .. })));
}

#[test]
fn a_cosignature_line_has_the_published_form() {
    // Source: the example of C2SP tlog-cosignature: four bytes of the id, eight of the time, 64 of the signature.
    let published = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
    let line = cosign("a\n1\nb\n", "witness.example.com/w1", &key(7), 1_679_315_147);
    let encoded = line.trim_end().rsplit(' ').next().expect("a line has words");
    let bytes = STANDARD.decode(encoded).expect("it is base64");
    let expected = STANDARD.decode(published).expect("it is base64");
    assert_eq!((bytes.len(), &bytes[4..12]), (expected.len(), &expected[4..12]));
}

#[test]
fn a_key_line_that_was_changed_is_refused() {
    for broken in [
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+CRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
        "PeterNeumann",
        "",
    ] {
        assert_eq!(broken.parse::<VerifierKey>(), Err(InvalidVerifierKey), "{broken}");
    }
}
