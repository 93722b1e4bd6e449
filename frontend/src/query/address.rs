//! Percent-encoding of paths and queries, and the reading of pairs.

use std::fmt::Write as _;

/// One segment of a path, encoded so that it can hold any text.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    // A dot segment would be resolved away by the browser.
    if encoded.bytes().all(|byte| byte == b'.') { encoded.replace('.', "%2E") } else { encoded }
}

/// A query string with its question mark; empty when nothing differs from the default.
#[must_use]
pub fn encode_pairs(pairs: &[(&str, Option<String>)]) -> String {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            encoded.push(if encoded.is_empty() { '?' } else { '&' });
            encoded.push_str(name);
            encoded.push('=');
            encoded.push_str(&encode_segment(value));
        }
    }
    encoded
}

/// The last value of that name; `None` when absent or empty, as an untouched form field is.
pub(crate) fn value(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
        .filter(|value| !value.is_empty())
}

/// The name of a choice, or nothing when it is the default one.
pub(crate) fn unless_default<T: PartialEq + Default>(choice: &T, name: &str) -> Option<String> {
    (*choice != T::default()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_holds_any_text() {
        assert_eq!(encode_segment("NN-01_a.b~c"), "NN-01_a.b~c");
        assert_eq!(encode_segment("a/b?c&d=é "), "a%2Fb%3Fc%26d%3D%C3%A9%20");
        assert_eq!(encode_segment(".."), "%2E%2E");
    }

    #[test]
    fn empty_values_are_left_out() {
        let pairs = [
            ("a", Some("1 2".to_owned())),
            ("b", None),
            ("c", Some(String::new())),
            ("d", Some("&".to_owned())),
        ];
        assert_eq!(encode_pairs(&pairs), "?a=1%202&d=%26");
        assert_eq!(encode_pairs(&[]), "");
    }
}
