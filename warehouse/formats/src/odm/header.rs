//! The root of an ODM file: what it says of the file as a whole.

use crate::xml::Element;

/// The namespace of ODM 2.0.
const ODM_2: &str = "http://www.cdisc.org/ns/odm/v2.0";
/// The namespace of ODM 1.3, 1.3.1 and 1.3.2.
const ODM_1_3: &str = "http://www.cdisc.org/ns/odm/v1.3";

/// What the root element says.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub(super) is_transactional: bool,
    pub(super) created: Option<String>,
    pub(super) as_of: Option<String>,
    cells: Vec<(&'static str, Option<String>)>,
}

impl Header {
    /// Reads the root element.
    ///
    /// # Errors
    /// A sentence that says why the file is not read as ODM.
    pub(super) fn read(root: &Element) -> Result<Self, String> {
        if root.name != "ODM" {
            return Err(format!("its root element is `{}`, not `ODM`", root.name));
        }
        if !matches!(root.namespace.as_str(), ODM_1_3 | ODM_2) {
            return Err(format!("its namespace is `{}`; `{ODM_1_3}` and `{ODM_2}` are read", root.namespace));
        }
        let is_transactional = match root.get("FileType") {
            Some("Snapshot") => false,
            Some("Transactional") => true,
            other => {
                return Err(format!(
                    "its FileType is `{}`; `Snapshot` or `Transactional` is needed",
                    other.unwrap_or_default()
                ));
            }
        };
        let owned = |name: &str| root.get(name).map(str::to_owned);
        Ok(Self {
            is_transactional,
            created: owned("CreationDateTime"),
            as_of: owned("AsOfDateTime"),
            cells: ATTRIBUTES.iter().map(|(column, attribute)| (*column, owned(attribute))).collect(),
        })
    }

    /// The cells of a row of `ODM.STUDY` that the root fills.
    pub(super) fn cells(&self) -> &[(&'static str, Option<String>)] {
        &self.cells
    }
}

const ATTRIBUTES: [(&str, &str); 10] = [
    ("ODM_VERSION", "ODMVersion"),
    ("FILE_OID", "FileOID"),
    ("FILE_TYPE", "FileType"),
    ("GRANULARITY", "Granularity"),
    ("CREATED", "CreationDateTime"),
    ("AS_OF", "AsOfDateTime"),
    ("PRIOR_FILE", "PriorFileOID"),
    ("ORIGINATOR", "Originator"),
    ("SOURCE_SYSTEM", "SourceSystem"),
    ("SOURCE_SYSTEM_VERSION", "SourceSystemVersion"),
];
