//! Documentation claims no cryptography that the program does not have.

use std::fs;
use std::path::{Path, PathBuf};

use control::ALGORITHMS;

/// How algorithms are written; a text that matches names one.
const NAMES: [&str; 26] = [
    "AES-128",
    "AES-192",
    "AES-256",
    "AES-CBC",
    "AES-GCM",
    "AES-SIV",
    "ChaCha20",
    "XChaCha",
    "Salsa",
    "3DES",
    "Blowfish",
    "RSA",
    "ECDSA",
    "ECDH",
    "X25519",
    "X448",
    "Ed448",
    "bcrypt",
    "scrypt",
    "PBKDF2",
    "SHA-384",
    "SHA-512",
    "SHA-3",
    "Kyber",
    "Dilithium",
    "BLAKE2",
];

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "md") {
            found.push(path);
        }
    }
}

#[test]
fn control_41_documentation_names_only_algorithms_that_are_registered() {
    // Tests run in the folder of their package.
    let root = Path::new("../..");
    let mut paths = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    documents(&root.join("docs"), &mut paths);
    let mut wrong = Vec::new();
    for path in &paths {
        // Decisions also say what was not chosen.
        if path.components().any(|part| part.as_os_str() == "decisions") {
            continue;
        }
        let text = fs::read_to_string(path).expect("it is text");
        for name in NAMES {
            let unknown = |line: &&str| {
                let known = ALGORITHMS.iter().filter(|algorithm| algorithm.name.contains(name));
                let rest = known.fold((*line).to_owned(), |line, algorithm| line.replace(algorithm.name, ""));
                rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').any(|word| {
                    word.strip_prefix(name)
                        .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric()))
                })
            };
            wrong.extend(
                text.lines().filter(unknown).map(|line| format!("{}: {name}: {line}", path.display())),
            );
        }
        let claims = text.lines().filter(|line| line.contains("_compliant"));
        wrong.extend(claims.map(|line| format!("{}: {line}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(paths.len() > 10);

    let page = fs::read_to_string(root.join("docs/cryptography.md")).expect("it is there");
    for algorithm in ALGORITHMS {
        let row = format!("| {} | {} | {} |", algorithm.name, algorithm.standard, algorithm.used_for);
        assert!(page.contains(&row), "docs/cryptography.md lacks `{row}`");
    }
}
