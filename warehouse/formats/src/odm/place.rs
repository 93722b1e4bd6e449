//! Where in the data a row stands, and the keys that name it.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::table::{PLACE, Row};

/// How deep in a subject's data something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Study,
    Subject,
    Event,
    Form,
    ItemGroup,
    Item,
}

impl Level {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Study => "STUDY",
            Self::Subject => "SUBJECT",
            Self::Event => "EVENT",
            Self::Form => "FORM",
            Self::ItemGroup => "ITEM_GROUP",
            Self::Item => "ITEM",
        }
    }
}

/// The place of a row: what the enclosing elements say.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) study: String,
    pub(super) version: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) subject_name: Option<String>,
    pub(super) site: Option<String>,
    pub(super) event: Option<Instance>,
    pub(super) visit_num: Option<String>,
    pub(super) form: Option<Instance>,
    pub(super) group: Option<Instance>,
    pub(super) item: Option<Instance>,
}

/// One instance of a defined thing.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    /// Unique in the file: the keys of what encloses it, its OID and its repeat key.
    pub(super) key: String,
    pub(super) oid: String,
    pub(super) repeat: Option<String>,
}

impl Instance {
    /// The instance below the key of what encloses it.
    pub(super) fn below(key: &str, oid: &str, repeat: Option<&str>) -> Self {
        let mut own = format!("{key}/");
        escape(&mut own, oid);
        if let Some(repeat) = repeat {
            own.push('[');
            escape(&mut own, repeat);
            own.push(']');
        }
        Self { key: own, oid: oid.to_owned(), repeat: repeat.map(str::to_owned) }
    }
}

/// Makes a part of a key unmistakable: what separates parts is written as in a URL.
fn escape(key: &mut String, part: &str) {
    for letter in part.chars() {
        match letter {
            // Writing into a string cannot fail.
            '/' | '[' | ']' | '%' | '#' | '@' => drop(write!(key, "%{:02X}", u32::from(letter))),
            _ => key.push(letter),
        }
    }
}

impl Place {
    /// The key of the subject, which every other key starts with.
    pub(super) fn subject_key(&self) -> String {
        let mut key = String::new();
        escape(&mut key, &self.study);
        key.push('/');
        escape(&mut key, self.subject.as_deref().unwrap_or_default());
        key
    }

    /// The key of the innermost thing.
    pub(super) fn key(&self) -> String {
        let innermost =
            self.item.as_ref().or(self.group.as_ref()).or(self.form.as_ref()).or(self.event.as_ref());
        match innermost {
            Some(instance) => instance.key.clone(),
            None => self.subject_key(),
        }
    }

    pub(super) const fn level(&self) -> Level {
        if self.item.is_some() {
            Level::Item
        } else if self.group.is_some() {
            Level::ItemGroup
        } else if self.form.is_some() {
            Level::Form
        } else if self.event.is_some() {
            Level::Event
        } else if self.subject.is_some() {
            Level::Subject
        } else {
            Level::Study
        }
    }

    /// Sets the cells of [`PLACE`] that the row's table has.
    pub(super) fn tell(&self, row: &mut Row) {
        let part = |instance: &Option<Instance>, part: fn(&Instance) -> Option<&str>| {
            instance.as_ref().and_then(part).map(str::to_owned)
        };
        let (key, oid, repeat): (Part, Part, Part) =
            (|of| Some(&of.key), |of| Some(&of.oid), |of| of.repeat.as_deref());
        let cells = [
            Some(self.study.clone()),
            self.version.clone(),
            self.subject.clone(),
            self.subject_name.clone(),
            self.site.clone(),
            part(&self.event, key),
            part(&self.event, oid),
            part(&self.event, repeat),
            self.visit_num.clone(),
            part(&self.form, key),
            part(&self.form, oid),
            part(&self.form, repeat),
            part(&self.group, key),
            part(&self.group, oid),
            part(&self.group, repeat),
            part(&self.item, key),
            part(&self.item, oid),
        ];
        for (column, cell) in PLACE.iter().zip(cells) {
            row.set(column, cell);
        }
    }
}

type Part = fn(&Instance) -> Option<&str>;

/// A key in 128 bits. It lives as long as one reading of the file.
pub(super) fn hash(key: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, key).hash(&mut hasher);
        hasher.finish()
    };
    u128::from(half(0)) << 64 | u128::from(half(1))
}
