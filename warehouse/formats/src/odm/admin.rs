//! Administrative data: sites, users, and what a signature means.

use std::collections::{HashMap, HashSet};

use super::table::{Row, Table};
use crate::xml::Element;

/// Sites, users and signature definitions of one file.
pub(super) const MAX_ADMIN: usize = 2_000_000;

/// What the file has said so far of who works where.
#[derive(Debug, Default)]
pub(super) struct Admin {
    /// Locations that a row of `ODM.SITE` names as a site.
    sites: HashSet<String>,
    roles: HashMap<String, String>,
    meanings: HashMap<String, (Option<String>, Option<String>)>,
}

impl Admin {
    /// Whether the file stays within what is held.
    pub(super) fn fits(&self) -> bool {
        self.sites.len() + self.roles.len() + self.meanings.len() <= MAX_ADMIN
    }

    pub(super) fn role(&self, user: Option<&str>) -> Option<String> {
        self.roles.get(user?).cloned()
    }

    /// Meaning and legal reason of a signature definition.
    pub(super) fn meaning(&self, definition: Option<&str>) -> (Option<String>, Option<String>) {
        definition.and_then(|definition| self.meanings.get(definition)).cloned().unwrap_or_default()
    }

    pub(super) fn location(&mut self, study: Option<&str>, location: &Element) -> Row {
        let kind = location.get("LocationType").or_else(|| location.get("Role"));
        // What is not said to be something else is a site.
        let is_site = kind.is_none_or(|kind| kind.to_ascii_lowercase().contains("site"));
        let oid = location.get("OID").unwrap_or_default();
        if is_site {
            self.sites.insert(oid.to_owned());
        }
        let version = location.child("MetaDataVersionRef");
        let address = location.child("Address");
        let mut row = Row::new(Table::Site);
        row.set_all(&[
            ("STUDY", study.or_else(|| version.and_then(|version| version.get("StudyOID")))),
            ("SITE", Some(oid)),
            ("SITE_NAME", location.get("Name")),
            ("LOCATION_TYPE", kind),
            ("IS_SITE", Some(if is_site { "true" } else { "false" })),
            ("CITY", address.and_then(|address| address.text_of("City"))),
            ("STATE", address.and_then(|address| address.text_of("StateProv"))),
            ("COUNTRY", address.and_then(|address| address.text_of("Country"))),
            ("METADATA_VERSION", version.and_then(|version| version.get("MetaDataVersionOID"))),
            ("EFFECTIVE_DATE", version.and_then(|version| version.get("EffectiveDate"))),
        ]);
        row
    }

    /// The row of a site that subjects name and the administrative data do not.
    pub(super) fn unlisted_site(&mut self, study: &str, site: &str) -> Option<Row> {
        if !self.sites.insert(site.to_owned()) {
            return None;
        }
        let mut row = Row::new(Table::Site);
        row.set_all(&[("STUDY", Some(study)), ("SITE", Some(site)), ("IS_SITE", Some("true"))]);
        Some(row)
    }

    pub(super) fn user(&mut self, study: Option<&str>, user: &Element) -> Row {
        let oid = user.get("OID").unwrap_or_default();
        if let Some(role) = user.get("UserType") {
            self.roles.insert(oid.to_owned(), role.to_owned());
        }
        let location = user.child("LocationRef").and_then(|location| location.get("LocationOID"));
        let mut row = Row::new(Table::User);
        row.set_all(&[
            ("STUDY", study),
            ("USER", Some(oid)),
            ("ROLE", user.get("UserType")),
            ("LOCATION", location.or_else(|| user.get("LocationOID"))),
            ("ORGANIZATION", user.get("OrganizationOID").or_else(|| user.text_of("Organization"))),
        ]);
        row
    }

    pub(super) fn signature_definition(&mut self, definition: &Element) {
        let owned = |child: &str| definition.text_of(child).map(str::to_owned);
        let oid = definition.get("OID").unwrap_or_default();
        self.meanings.insert(oid.to_owned(), (owned("Meaning"), owned("LegalReason")));
    }
}
