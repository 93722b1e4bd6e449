//! Codes of authenticator apps: six digits that a shared secret and the time give.
//!
//! Source: RFC 6238 (TOTP) over RFC 4226 (HOTP) with HMAC-SHA-1, 30 seconds and six digits, which is what every app does.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// How many bytes a secret has: as many as SHA-1 gives (RFC 4226, section 4, R6).
pub(crate) const SECRET_BYTES: usize = 20;

const STEP_SECONDS: i64 = 30;
const DIGITS: u32 = 6;

/// The step that an instant lies in.
fn step_at(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(STEP_SECONDS)
}

/// The code of a step, of so many digits.
fn code(secret: &[u8], step: i64, digits: u32) -> u32 {
    // INVARIANT: HMAC takes a key of any length.
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("a key of any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[hash.len() - 1] & 0x0f);
    let word = [hash[offset] & 0x7f, hash[offset + 1], hash[offset + 2], hash[offset + 3]];
    u32::from_be_bytes(word) % 10_u32.pow(digits)
}

/// The step whose code this is: the present one, or its neighbour, for clocks that differ by half a minute.
pub(crate) fn matching_step(secret: &[u8], given: &str, now: DateTime<Utc>) -> Option<i64> {
    let given = given.replace(' ', "");
    if given.len() != DIGITS as usize || !given.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let given: u32 = given.parse().ok()?;
    let present = step_at(now);
    // Every step is compared, so that the time tells nothing.
    let mut found = None;
    for step in present - 1..=present + 1 {
        if code(secret, step, DIGITS) == given {
            found = Some(step);
        }
    }
    found
}

/// Bytes as people type them. Source: RFC 4648, section 6, without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[((held >> bits) & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(LETTERS[((held << (5 - bits)) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 6238, appendix B, the rows of SHA-1.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, expected) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let now = DateTime::from_timestamp(seconds, 0).expect("the time is valid");
            assert_eq!(code(secret, step_at(now), 8), expected, "{seconds}");
        }
    }

    /// Source: RFC 4226, appendix D.
    #[test]
    fn six_digits_are_those_of_the_standard() {
        let expected =
            [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (step, expected) in (0_i64..).zip(expected) {
            assert_eq!(code(b"12345678901234567890", step, 6), expected, "{step}");
        }
    }

    #[test]
    fn a_code_holds_for_its_step_and_the_ones_beside_it() {
        let secret = b"12345678901234567890";
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("the time is valid");
        // 287082 is the code of step 1, 30 to 59 seconds after the beginning.
        for (seconds, expected) in [(0, Some(1)), (30, Some(1)), (89, Some(1)), (90, None)] {
            assert_eq!(matching_step(secret, "287082", at(seconds)), expected, "{seconds}");
        }
        assert_eq!(matching_step(secret, "287 082", at(30)), Some(1));
        for bad in ["", "28708", "2870820", "28708a", "٢٨٧٠٨٢", "+28708"] {
            assert_eq!(matching_step(secret, bad, at(30)), None, "{bad}");
        }
    }

    /// Source: RFC 4648, section 10, without the padding.
    #[test]
    fn base32_is_that_of_the_standard() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), expected);
        }
    }
}
