//! Canonical JSON: a value has exactly one text. It is the profile of RFC 8785 (JCS) that the ledger needs:
//! no floats and no lists, integers within 2^53 - 1 (larger ones are texts), keys in ASCII, sorted.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest integer that every reader of JSON keeps exactly.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// A value of the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Canon {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    Object(BTreeMap<String, Canon>),
}

/// An object of named fields.
pub(crate) fn object<const N: usize>(fields: [(&'static str, Canon); N]) -> Canon {
    Canon::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl Canon {
    /// The value's only text.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // INVARIANT: texts, integers and maps with text keys always have a JSON form.
        serde_json::to_vec(self).expect("a canonical value has a JSON form")
    }

    /// The value of a text; `None` unless the text is the one that [`Canon::to_bytes`] writes.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Self = serde_json::from_slice(bytes).ok()?;
        (value.to_bytes() == bytes).then_some(value)
    }
}

impl From<&str> for Canon {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Canon {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Canon {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Canon {
    fn from(value: u64) -> Self {
        match i64::try_from(value) {
            Ok(integer) if value <= MAX_INTEGER => Self::Integer(integer),
            _ => Self::Text(value.to_string()),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Canon {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for Canon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Object(fields) => serializer.collect_map(fields),
        }
    }
}

impl<'de> Deserialize<'de> for Canon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CanonVisitor)
    }
}

struct CanonVisitor;

impl<'de> Visitor<'de> for CanonVisitor {
    type Value = Canon;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without floats, lists, large integers or repeated keys")
    }

    fn visit_unit<E: Error>(self) -> Result<Canon, E> {
        Ok(Canon::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Canon, E> {
        Ok(Canon::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Canon, E> {
        match Canon::from(value) {
            integer @ Canon::Integer(_) => Ok(integer),
            _ => Err(E::custom("an integer beyond 2^53 - 1")),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Canon, E> {
        if value.unsigned_abs() <= MAX_INTEGER {
            Ok(Canon::Integer(value))
        } else {
            Err(E::custom("an integer beyond 2^53 - 1"))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Canon, E> {
        Ok(Canon::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Canon, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Canon>()? {
            if !key.is_ascii() || fields.insert(key, value).is_some() {
                return Err(A::Error::custom("a key that is repeated or not ASCII"));
            }
        }
        Ok(Canon::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, canonical: bool) {
        assert_eq!(Canon::parse(text.as_bytes()).is_some(), canonical, "{text}");
    }

    #[test]
    fn one_value_has_one_text() {
        check_text(r#"{"a":1,"b":{"c":null,"d":true}}"#, true);
        check_text(r#"{"b":1,"a":2}"#, false);
        check_text(r#"{"a": 1}"#, false);
        check_text(r#"{"a":1}"#, true);
        check_text("{\"a\":1}\n", false);
        check_text(r#"{"a":1,"a":1}"#, false);
        check_text(r#"{"a":[1]}"#, false);
    }

    #[test]
    fn numbers_are_exact_everywhere() {
        check_text("9007199254740991", true);
        check_text("9007199254740992", false);
        check_text("-9007199254740991", true);
        check_text("-9007199254740992", false);
        check_text("1.0", false);
        check_text("1e3", false);
        check_text("-0", false);
        assert_eq!(Canon::from(1_u64 << 53), Canon::from("9007199254740992"));
    }

    #[test]
    fn texts_are_escaped_as_rfc_8785_says() {
        // Source: RFC 8785, section 3.2.2.2.
        assert_eq!(Canon::from("€$\u{f}\nA'B\"\\/").to_bytes(), "\"€$\\u000f\\nA'B\\\"\\\\/\"".as_bytes());
        check_text(r#""A""#, true);
        check_text(r#""\u0041""#, false);
        check_text(r#""\/""#, false);
    }
}
