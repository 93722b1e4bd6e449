//! An anchor in a bucket that nobody can take anything out of: S3 with Object Lock, whose default retention is COMPLIANCE.
//! Objects are written once. Who holds the bucket's keys can still hide one behind a delete marker or put another
//! version on top; the first version stays, is the one that is read, and whatever lies on top of it is told.

mod signature;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kernel::Clock;
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{RootCerts, TlsConfig};
use zeroize::Zeroizing;

use crate::error::ControlError;
use signature::{Unsigned, amz_date};

const PATIENCE: Duration = Duration::from_secs(20);
/// The largest answer that is not an object: a page of a thousand versions.
const MAX_ANSWER: u64 = 4 << 20;

/// Where a bucket is, and who asks for it.
#[derive(Clone)]
pub struct BucketSettings {
    /// The service: `https://s3.eu-central-1.amazonaws.com`. The bucket's name goes into the path.
    pub endpoint: String,
    /// Its region, which is signed.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What the names of objects begin with; empty for none.
    pub prefix: String,
    /// The id of the access key.
    pub access_key: String,
    /// The file with its secret, which only its owner may read.
    pub secret_file: PathBuf,
}

/// A version of an object, newest first as the service lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    key: String,
    id: String,
    is_marker: bool,
}

/// A page of versions, and of what continues their names.
#[derive(Debug, Default)]
struct Listed {
    versions: Vec<Version>,
    prefixes: Vec<String>,
    next: Option<(String, String)>,
}

/// A bucket with the anchors of one deployment.
pub(crate) struct Bucket {
    agent: Agent,
    settings: BucketSettings,
    secret: Zeroizing<String>,
    clock: Arc<dyn Clock>,
    /// Names of objects that something was laid on top of.
    covered: Mutex<BTreeSet<String>>,
}

impl Bucket {
    /// A bucket that keeps what it is given.
    ///
    /// # Errors
    /// [`ControlError::Bucket`] when it cannot be reached, and when its default retention is not COMPLIANCE: what it
    /// holds could be removed.
    pub(crate) fn open(settings: &BucketSettings, clock: Arc<dyn Clock>) -> Result<Self, ControlError> {
        let secret = std::fs::read_to_string(&settings.secret_file).map_err(|source| ControlError::File {
            step: "read the bucket's secret",
            path: settings.secret_file.clone(),
            source,
        })?;
        let found = rustls_native_certs::load_native_certs().certs;
        let certificates = found.iter().map(|found| ureq::tls::Certificate::from_der(found).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(certificates.collect())))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .tls_config(tls)
            .build();
        let secret = Zeroizing::new(secret.trim().to_owned());
        let agent = Agent::new_with_config(config);
        let bucket = Self { agent, settings: settings.clone(), secret, clock, covered: Mutex::default() };
        bucket.require_retention()?;
        Ok(bucket)
    }

    /// Its name, for people.
    pub(crate) fn address(&self) -> String {
        format!("s3://{}", self.settings.bucket)
    }

    /// The name of an object below the prefix.
    pub(crate) fn key(&self, place: &str) -> String {
        let prefix = self.settings.prefix.trim_matches('/');
        if prefix.is_empty() { place.to_owned() } else { format!("{prefix}/{place}") }
    }

    fn require_retention(&self) -> Result<(), ControlError> {
        let (status, text) = self.ask("GET", "", vec![("object-lock", String::new())])?;
        let is_locked = status == 200
            && tag(&text, "ObjectLockEnabled") == Some("Enabled")
            && tag(&text, "Mode") == Some("COMPLIANCE")
            && ["Days", "Years"].iter().any(|unit| {
                tag(&text, unit)
                    .and_then(|length| length.parse::<u32>().ok())
                    .is_some_and(|length| length > 0)
            });
        if is_locked { Ok(()) } else { Err(ControlError::BucketRetention { bucket: self.address() }) }
    }

    /// Writes an object that is not there yet; the same bytes again are fine.
    pub(crate) fn write_once(&self, key: &str, bytes: &[u8]) -> Result<(), ControlError> {
        let checksum = BASE64.encode(Sha256::digest(bytes));
        let headers = vec![
            ("if-none-match", "*".to_owned()),
            ("x-amz-checksum-sha256", checksum),
            ("x-amz-sdk-checksum-algorithm", "SHA256".to_owned()),
        ];
        let mut tried = 0;
        loop {
            let path = format!("/{}/{key}", self.settings.bucket);
            let request = Unsigned {
                method: "PUT",
                path: &path,
                query: Vec::new(),
                headers: headers.clone(),
                body: bytes,
            };
            match self.send(request, MAX_ANSWER)? {
                (200, _) => return Ok(()),
                // Somebody writes the same name at the same moment: theirs may fail.
                (409, _) if tried < 3 => tried += 1,
                (409 | 412, _) => break,
                (status, text) => return Err(self.refused("write", key, status, &text)),
            }
        }
        if self.read(key, bytes.len())?.as_deref() == Some(bytes) {
            return Ok(());
        }
        Err(ControlError::AnchorDiffers { path: PathBuf::from(format!("{}/{key}", self.address())) })
    }

    /// The first version of an object; `None` when there never was one. Larger than `limit` is an error.
    pub(crate) fn read(&self, key: &str, limit: usize) -> Result<Option<Vec<u8>>, ControlError> {
        let listed = self.list(key, None, None)?;
        let versions: Vec<Version> =
            listed.versions.into_iter().filter(|version| version.key == key).collect();
        self.notice(&versions);
        let Some(first) = versions.iter().rev().find(|version| !version.is_marker) else { return Ok(None) };
        let path = format!("/{}/{key}", self.settings.bucket);
        let query = vec![("versionId", first.id.clone())];
        let request = Unsigned { method: "GET", path: &path, query, headers: Vec::new(), body: b"" };
        match self.send(request, limit as u64 + 1)? {
            (200, bytes) if bytes.len() <= limit => Ok(Some(bytes)),
            (200, _) => Err(self.failed("read", key, "it is larger than such an object can be")),
            (status, text) => Err(self.refused("read", key, status, &text)),
        }
    }

    /// What continues the names that begin with `prefix`, up to the next slash, in order.
    pub(crate) fn names(&self, prefix: &str) -> Result<Vec<String>, ControlError> {
        let (mut names, mut after) = (BTreeSet::new(), None);
        loop {
            let listed = self.list(prefix, Some("/"), after)?;
            let further = listed.prefixes.iter().map(|name| name.trim_end_matches('/'));
            let objects = listed.versions.iter().map(|version| version.key.as_str());
            names.extend(
                further.chain(objects).filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned),
            );
            self.notice(&listed.versions);
            after = listed.next;
            if after.is_none() {
                return Ok(names.into_iter().collect());
            }
        }
    }

    /// Looks at every object below a name, and gives the first that something was laid on top of.
    pub(crate) fn first_covered(&self, prefix: &str) -> Result<Option<String>, ControlError> {
        let mut after = None;
        loop {
            let listed = self.list(prefix, None, after)?;
            self.notice(&listed.versions);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        let covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(covered.iter().find(|key| key.starts_with(prefix)).cloned())
    }

    /// Keeps the names of objects with a marker, or with more than the version that we wrote.
    fn notice(&self, versions: &[Version]) {
        let mut covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeSet::new();
        for version in versions {
            if version.is_marker || !seen.insert(&version.key) {
                covered.insert(version.key.clone());
            }
        }
    }

    fn list(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<(String, String)>,
    ) -> Result<Listed, ControlError> {
        let mut query = vec![("versions", String::new()), ("prefix", prefix.to_owned())];
        query.extend(delimiter.map(|delimiter| ("delimiter", delimiter.to_owned())));
        if let Some((key, version)) = after {
            query.push(("key-marker", key));
            // After a page that ended with a common beginning there is none.
            query.extend((!version.is_empty()).then_some(("version-id-marker", version)));
        }
        match self.ask("GET", "", query)? {
            (200, text) => Ok(read_list(&text)),
            (status, text) => Err(self.refused("list", prefix, status, text.as_bytes())),
        }
    }

    /// A request for the bucket itself, whose answer is a text.
    fn ask(
        &self,
        method: &str,
        rest: &str,
        query: Vec<(&str, String)>,
    ) -> Result<(u16, String), ControlError> {
        let path = format!("/{}{rest}", self.settings.bucket);
        let request = Unsigned { method, path: &path, query, headers: Vec::new(), body: b"" };
        let (status, bytes) = self.send(request, MAX_ANSWER)?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn send(&self, mut request: Unsigned<'_>, limit: u64) -> Result<(u16, Vec<u8>), ControlError> {
        let endpoint = self.settings.endpoint.trim_end_matches('/');
        let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
        let now = self.clock.now();
        let hash = request.body_hash();
        request.headers.extend([
            ("host", host.to_owned()),
            ("x-amz-content-sha256", hash),
            ("x-amz-date", amz_date(now)),
        ]);
        let who = (self.settings.access_key.as_str(), self.secret.as_str());
        let authorization = request.authorization(&self.settings.region, who, now);
        let query = request.query_text();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{endpoint}{}{mark}{query}", request.path_text());
        let failed = |reason: String| self.failed("reach", request.path, &reason);
        let mut built = Request::builder().method(request.method).uri(&url);
        for (name, value) in request.headers.iter().filter(|(name, _)| *name != "host") {
            built = built.header(*name, value);
        }
        built = built.header("authorization", authorization);
        let sent = if request.method == "PUT" {
            let request = built.body(request.body).map_err(|error| failed(error.to_string()))?;
            self.agent.run(request)
        } else {
            let request = built.body(()).map_err(|error| failed(error.to_string()))?;
            self.agent.run(request)
        };
        let mut answer = sent.map_err(|error| failed(error.to_string()))?;
        let bytes = answer.body_mut().with_config().limit(limit).read_to_vec();
        Ok((answer.status().as_u16(), bytes.map_err(|error| failed(error.to_string()))?))
    }

    fn refused(&self, step: &'static str, key: &str, status: u16, text: &[u8]) -> ControlError {
        let text = String::from_utf8_lossy(text);
        let code = tag(&text, "Code").unwrap_or("no code");
        self.failed(step, key, &format!("the service answers {status} ({code})"))
    }

    fn failed(&self, step: &'static str, key: &str, reason: &str) -> ControlError {
        ControlError::Bucket { step, place: format!("{}: {key}", self.address()), reason: reason.to_owned() }
    }
}

/// The text of the first element of that name.
fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

/// Reads a page of `ListObjectVersions`. Our names hold nothing that XML would write in another form.
fn read_list(text: &str) -> Listed {
    let mut listed = Listed::default();
    // Versions and markers stand in one order, in which the newest of a name comes first.
    let mut rest = text;
    while let Some((at, is_marker)) = next_entry(rest) {
        let (name, entry) = (if is_marker { "DeleteMarker" } else { "Version" }, &rest[at..]);
        let entry = tag(entry, name).unwrap_or_default();
        let field = |name| tag(entry, name).unwrap_or_default().to_owned();
        listed.versions.push(Version { key: field("Key"), id: field("VersionId"), is_marker });
        rest = &rest[at + name.len() + 2 + entry.len()..];
    }
    let prefixes = text.split("<CommonPrefixes>").skip(1).filter_map(|part| tag(part, "Prefix"));
    listed.prefixes = prefixes.map(str::to_owned).collect();
    if tag(text, "IsTruncated") == Some("true") {
        let marker = |name| tag(text, name).unwrap_or_default().to_owned();
        listed.next = Some((marker("NextKeyMarker"), marker("NextVersionIdMarker")));
    }
    listed
}

/// Where the next entry of a page begins, and whether it is a delete marker.
fn next_entry(text: &str) -> Option<(usize, bool)> {
    match (text.find("<Version>"), text.find("<DeleteMarker>")) {
        (Some(version), Some(marker)) if marker < version => Some((marker, true)),
        (Some(version), _) => Some((version, false)),
        (None, marker) => marker.map(|at| (at, true)),
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.address()).finish_non_exhaustive()
    }
}

impl fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketSettings")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form of the answer in the service's reference, shortened.
    const PAGE: &str = "<?xml version=\"1.0\"?><ListVersionsResult><IsTruncated>true</IsTruncated>\
        <NextKeyMarker>a/b</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>\
        <Version><Key>a/a</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest></Version>\
        <DeleteMarker><Key>a/b</Key><VersionId>m1</VersionId></DeleteMarker>\
        <Version><Key>a/b</Key><VersionId>v1</VersionId></Version>\
        <CommonPrefixes><Prefix>a/c/</Prefix></CommonPrefixes></ListVersionsResult>";

    #[test]
    fn a_page_of_versions_is_read_in_its_order() {
        let listed = read_list(PAGE);
        let versions: Vec<(&str, &str, bool)> = listed
            .versions
            .iter()
            .map(|version| (version.key.as_str(), version.id.as_str(), version.is_marker))
            .collect();
        assert_eq!(versions, [("a/a", "v2", false), ("a/b", "m1", true), ("a/b", "v1", false)]);
        assert_eq!(listed.prefixes, ["a/c/"]);
        assert_eq!(listed.next, Some(("a/b".to_owned(), "v1".to_owned())));
        assert!(read_list("<html>").versions.is_empty());
    }
}
