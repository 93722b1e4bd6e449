//! Signing requests to a bucket, as S3 and what speaks its language ask for it: Signature Version 4.
// Source: AWS, "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::ledger::hash::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";

/// A request as it will be sent. Header names are in lower case; the path and the query's parts are not encoded yet.
#[derive(Debug)]
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(&'a str, String)>,
    pub(super) body: &'a [u8],
}

impl Unsigned<'_> {
    /// The query as it is sent: encoded, in the order in which it is signed.
    pub(super) fn query_text(&self) -> String {
        let mut pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| {
                format!("{}={}", encoded(name, Slash::Encode), encoded(value, Slash::Encode))
            })
            .collect();
        pairs.sort();
        pairs.join("&")
    }

    /// The path as it is sent.
    pub(super) fn path_text(&self) -> String {
        encoded(self.path, Slash::Keep)
    }

    pub(super) fn body_hash(&self) -> String {
        hex(&Sha256::digest(self.body))
    }

    /// The header `authorization`. The headers hold `host`, `x-amz-date` for `now` and `x-amz-content-sha256` already.
    pub(super) fn authorization(
        &self,
        region: &str,
        (id, secret): (&str, &str),
        now: DateTime<Utc>,
    ) -> String {
        let (day, instant) = (now.format("%Y%m%d").to_string(), amz_date(now));
        let mut headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (*name, value.trim())).collect();
        headers.sort_unstable();
        let signed: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let signed = signed.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{signed}\n{}",
            self.method,
            self.path_text(),
            self.query_text(),
            self.body_hash()
        );
        let scope = format!("{day}/{region}/{SERVICE}/aws4_request");
        let text = format!("{ALGORITHM}\n{instant}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let mut key = hmac(format!("AWS4{secret}").as_bytes(), &day);
        for part in [region, SERVICE, "aws4_request"] {
            key = hmac(&key, part);
        }
        let signature = hex(&hmac(&key, &text));
        format!("{ALGORITHM} Credential={id}/{scope},SignedHeaders={signed},Signature={signature}")
    }
}

/// The header `x-amz-date`.
pub(super) fn amz_date(now: DateTime<Utc>) -> String {
    now.format("%Y%m%dT%H%M%SZ").to_string()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slash {
    Keep,
    Encode,
}

/// Percent-encoding as the signature asks for it: everything but letters, digits, `-`, `_`, `.` and `~`.
fn encoded(text: &str, slash: Slash) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if slash == Slash::Keep => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    /// The examples of the reference, "Signature Calculations for the Authorization Header".
    fn check(request: &mut Unsigned<'_>, signature: &str) {
        let now = Utc.with_ymd_and_hms(2013, 5, 24, 0, 0, 0).single().expect("the time is valid");
        let hash = request.body_hash();
        request.headers.extend([
            ("host", "examplebucket.s3.amazonaws.com".to_owned()),
            ("x-amz-content-sha256", hash),
            ("x-amz-date", amz_date(now)),
        ]);
        let header = request.authorization("us-east-1", (ID, SECRET), now);
        assert!(header.ends_with(&format!("Signature={signature}")), "{header}");
    }

    #[test]
    fn the_signatures_are_those_of_the_reference() {
        let get = |path, query| Unsigned { method: "GET", path, query, headers: Vec::new(), body: b"" };
        let mut object = get("/test.txt", vec![]);
        object.headers.push(("range", "bytes=0-9".to_owned()));
        check(&mut object, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        let mut put = Unsigned {
            method: "PUT",
            path: "/test$file.text",
            query: Vec::new(),
            headers: vec![
                ("date", "Fri, 24 May 2013 00:00:00 GMT".to_owned()),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY".to_owned()),
            ],
            body: b"Welcome to Amazon S3.",
        };
        check(&mut put, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
        check(
            &mut get("/", vec![("lifecycle", String::new())]),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        );
        check(
            &mut get("/", vec![("max-keys", "2".to_owned()), ("prefix", "J".to_owned())]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        );
    }
}
