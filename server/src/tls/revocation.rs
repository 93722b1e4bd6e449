//! Lists of revoked certificates: which machines' certificates count no more, by the word of who has signed them. A list
//! says until when it holds; who shows a certificate after that is refused, until the next list is there.
// Source: RFC 5280, section 5.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use rustls::RootCertStore;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use webpki::{CertRevocationList, OwnedCertRevocationList};

use super::files::{read, unfit};
use crate::error::Result;

/// What the names of lists in a folder end with.
const SUFFIXES: [&str; 3] = ["crl", "pem", "der"];
/// ASN.1's tags of the two forms of a time.
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Lists that hold now.
pub(super) struct Lists {
    pub(super) lists: Vec<CertificateRevocationListDer<'static>>,
    /// When the first of them ends.
    pub(super) hold_until: DateTime<Utc>,
}

/// The bytes of every list: of each file, and of the files of each folder that are called as lists are.
pub(super) fn read_all(places: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    for place in places {
        for path in files_of(place)? {
            let bytes = read(&path)?;
            found.push((path, bytes));
        }
    }
    Ok(found)
}

fn files_of(place: &Path) -> Result<Vec<PathBuf>> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let unreadable = |error: std::io::Error| unfit(place, &format!("it cannot be read ({error})"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(place).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
        if path.is_file() && suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix.as_str())) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(unfit(place, "the folder holds no file that ends with `.crl`, `.pem` or `.der`"));
    }
    files.sort();
    Ok(files)
}

/// The lists in `files`, each of which holds now, with one at least by every authority in the file `authorities`.
pub(super) fn lists(
    files: &[(PathBuf, Vec<u8>)],
    (authorities, roots): (&Path, &RootCertStore),
    now: DateTime<Utc>,
) -> Result<Lists> {
    let (mut lists, mut issuers) = (Vec::new(), Vec::new());
    let mut hold_until = DateTime::<Utc>::MAX_UTC;
    for (place, bytes) in files {
        for list in lists_in(place, bytes)? {
            let parsed = OwnedCertRevocationList::from_der(&list).map_err(|error| {
                unfit(place, &format!("it is no list of revoked certificates that can be used ({error})"))
            })?;
            issuers.push(CertRevocationList::from(parsed).issuer().to_vec());
            let until = next_update(&list).ok_or_else(|| {
                unfit(place, "the list does not say until when it holds: get one that does")
            })?;
            if until <= now {
                let told = format!(
                    "the list has held until {}: put the authority's present list there",
                    until.format("%Y-%m-%d %H:%M UTC")
                );
                return Err(unfit(place, &told));
            }
            hold_until = hold_until.min(until);
            lists.push(list);
        }
    }
    if roots.roots.iter().any(|root| !issuers.iter().any(|issuer| issuer[..] == root.subject[..])) {
        return Err(unfit(
            authorities,
            "no list of revoked certificates is by one of its authorities, whose machines would all be refused: add its list, or take the authority out",
        ));
    }
    Ok(Lists { lists, hold_until })
}

/// The lists of a file: PEM, or one list in DER.
fn lists_in(place: &Path, bytes: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    // A list in DER is a sequence, which begins otherwise than any text.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateRevocationListDer::from(bytes.to_vec())]);
    }
    let found: std::result::Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unfit(place, "it holds no list of revoked certificates (`-----BEGIN X509 CRL-----`)")),
        Err(error) => Err(unfit(place, &format!("its PEM is broken ({error})"))),
    }
}

/// Until when a list holds that is known to be one: version, algorithm, issuer, its own time, and then this.
fn next_update(list: &[u8]) -> Option<DateTime<Utc>> {
    let (_, whole, _) = element(list)?;
    let (_, mut rest, _) = element(whole)?;
    for _ in 0..4 {
        (_, _, rest) = element(rest)?;
    }
    let (tag, text, _) = element(rest)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match (tag, text.get(..2)) {
        // Two digits of a year are of 1950 to 2049.
        (UTC_TIME, Some(year)) if year < "50" => format!("20{text}"),
        (UTC_TIME, Some(_)) => format!("19{text}"),
        (GENERALIZED_TIME, _) => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

/// The first element of some DER: its tag, its content, and what comes behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let (digits, behind) =
            rest.split_at_checked(length - 0x80).filter(|(digits, _)| digits.len() <= 4)?;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    Some((*tag, content, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a list by hand: what stands before the time in question, and behind it.
    fn list(time: &[u8]) -> Vec<u8> {
        let mut inner = vec![0x02, 0x01, 0x01, 0x30, 0x00, 0x30, 0x00];
        inner.extend([&[UTC_TIME, 13][..], b"261101000000Z"].concat());
        inner.extend(time);
        // With lengths of the long form, as a list of any size has them.
        let wrap = |content: &[u8]| {
            let length = u16::try_from(content.len()).expect("it is short").to_be_bytes();
            [&[0x30, 0x82][..], &length, content].concat()
        };
        wrap(&wrap(&inner))
    }

    #[track_caller]
    fn check(tag: u8, text: &str, expected: Option<&str>) {
        let length = u8::try_from(text.len()).expect("it is short");
        let told = next_update(&list(&[&[tag, length][..], text.as_bytes()].concat()));
        assert_eq!(told.map(|time| time.to_rfc3339()).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_list_says_until_when_it_holds_in_either_form_of_a_time() {
        check(UTC_TIME, "261124093000Z", Some("2026-11-24T09:30:00+00:00"));
        check(UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59+00:00"));
        check(UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00+00:00"));
        check(GENERALIZED_TIME, "20500101000000Z", Some("2050-01-01T00:00:00+00:00"));
        check(UTC_TIME, "261324093000Z", None);
        check(0x30, "", None);
    }

    #[test]
    fn what_is_cut_off_says_nothing() {
        let whole = list(&[&[UTC_TIME, 13][..], b"261124093000Z"].concat());
        assert!(next_update(&whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(next_update(&whole[..end]), None, "{end}");
        }
    }
}
