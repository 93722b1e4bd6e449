//! Define-XML 1.0, 2.0 and 2.1: what a submission says of its datasets. `docs/define.md` has an example.
//!
//! A definition is small and is held as a whole: [`Define::read`] takes a file, [`Define::compare`] says in what
//! delivered datasets differ from it.

use chrono::{DateTime, Utc};

mod compare;
mod parts;
mod read;

pub use compare::Difference;

/// A Define-XML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Define {
    /// The file, without the folder it stands in.
    pub file: String,
    /// The version of Define-XML, as the document states it: `1.0.0`, `2.1.0`.
    pub version: String,
    /// When the document was made, where it says so with a zone.
    pub created_at: Option<DateTime<Utc>>,
    /// The study.
    pub study: Study,
    /// The OID of the metadata version.
    pub metadata_version: String,
    /// The standards it follows; Define-XML before 2.1 has one.
    pub standards: Vec<Standard>,
    /// The datasets in document order.
    pub datasets: Vec<DatasetDefinition>,
    /// Definitions that hold for some values only, in document order.
    pub value_levels: Vec<ValueLevel>,
    /// The code lists in document order.
    pub codelists: Vec<CodeList>,
    /// How values were derived.
    pub methods: Vec<Method>,
    /// Every comment that others refer to, by OID; Define-XML 1.0 has none of these.
    pub comments: Vec<Comment>,
}

/// The study that a document is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Study {
    /// Its OID.
    pub oid: String,
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub description: String,
    /// The sponsor's name of its protocol.
    pub protocol: String,
}

/// A standard that the datasets or the code lists follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standard {
    /// Its OID; empty before Define-XML 2.1.
    pub oid: String,
    /// Its name, for instance `SDTMIG`.
    pub name: String,
    /// `IG` for an implementation guide, `CT` for terminology; empty before Define-XML 2.1.
    pub kind: String,
    /// Its version: a number, or the day of a terminology package.
    pub version: String,
    /// For what terminology is published, for instance `SDTM`.
    pub publishing_set: Option<String>,
}

/// One dataset, as defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetDefinition {
    /// Its OID.
    pub oid: String,
    /// Its name.
    pub name: String,
    /// Its domain, where stated.
    pub domain: Option<String>,
    /// Its label.
    pub label: String,
    /// Its general observation class.
    pub class: Option<String>,
    /// `Tabulation` or `Analysis`.
    pub purpose: Option<String>,
    /// What one row is, in a sentence.
    pub structure: Option<String>,
    /// Whether a subject may have several rows.
    pub is_repeating: bool,
    /// Whether it is about the trial and not about subjects.
    pub is_reference: bool,
    /// The OID of its standard, from Define-XML 2.1 on.
    pub standard: Option<String>,
    /// Whether it is defined, but not delivered because there are no data.
    pub has_no_data: bool,
    /// The file that it was delivered in.
    pub location: Option<String>,
    /// What is noted about it.
    pub comment: Option<String>,
    /// The names of its key variables, in order.
    pub keys: Vec<String>,
    /// Its variables, in order.
    pub variables: Vec<Variable>,
}

/// One variable, in its dataset or for some values of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its OID.
    pub oid: String,
    /// Its name.
    pub name: String,
    /// Its label.
    pub label: String,
    /// Its type in the words of ODM: `text`, `integer`, `float`, `date`, …
    pub data_type: String,
    /// The longest text, or the digits of the longest number.
    pub length: Option<u32>,
    /// Digits after the point.
    pub significant_digits: Option<u32>,
    /// The SAS format that it is shown in.
    pub display_format: Option<String>,
    /// Where its values come from.
    pub origins: Vec<Origin>,
    /// The OID of its code list.
    pub codelist: Option<String>,
    /// The OID of the list of definitions for its values, see [`ValueLevel`].
    pub value_list: Option<String>,
    /// Whether it must be filled.
    pub is_mandatory: bool,
    /// Its place in the dataset, as stated.
    pub order: Option<u32>,
    /// Its place among the keys.
    pub key_sequence: Option<u32>,
    /// Its role in SDTM.
    pub role: Option<String>,
    /// The OID of the method that it was derived by.
    pub method: Option<String>,
    /// What is noted about it.
    pub comment: Option<String>,
    /// Whether it is defined, but left out because there are no data.
    pub has_no_data: bool,
}

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `CRF`, `Derived`, `Assigned`, `Protocol`, …; in Define-XML 1.0 free text, pages and all.
    pub kind: String,
    /// Who made them, from Define-XML 2.1 on.
    pub source: Option<String>,
    /// Pages of the annotated form.
    pub pages: Option<String>,
}

/// What holds for a variable where other variables have certain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueLevel {
    /// The OID of the list that it stands in.
    pub list: String,
    /// The OID of the variable that the list belongs to. In Define-XML 1.0 that is the variable whose values
    /// are told apart (`LBTESTCD`, `QNAM`), and the definition is that of the result.
    pub of: String,
    /// When it holds: all conditions of any of these.
    pub clauses: Vec<Vec<Condition>>,
    /// What holds then.
    pub variable: Variable,
}

/// A condition on a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The OID of the variable; in Define-XML 1.0, which only implies it, its name.
    pub variable: String,
    /// `EQ`, `NE`, `IN`, `NOTIN`, `LT`, `LE`, `GT` or `GE`.
    pub comparator: String,
    /// The values compared with.
    pub values: Vec<String>,
}

/// A code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    /// Its OID.
    pub oid: String,
    /// Its name.
    pub name: String,
    /// The type of its coded values.
    pub data_type: String,
    /// The code of the list in CDISC's terminology.
    pub nci_code: Option<String>,
    /// The OID of its standard, from Define-XML 2.1 on.
    pub standard: Option<String>,
    /// Its terms, in document order.
    pub terms: Vec<Term>,
    /// The dictionary that holds its terms, instead of the document.
    pub external: Option<Dictionary>,
}

/// A term of a code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The value as submitted.
    pub value: String,
    /// What it means, where the list says so.
    pub decode: Option<String>,
    /// Its code in CDISC's terminology.
    pub nci_code: Option<String>,
    /// Its place in the list.
    pub order: Option<u32>,
    /// Its place in the order of magnitude, as stated.
    pub rank: Option<String>,
    /// Whether the sponsor added it to an extensible list of the standard.
    pub is_extended: bool,
}

/// A dictionary kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    /// Its name, for instance `MedDRA`.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
}

/// How values were derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its OID.
    pub oid: String,
    /// Its name.
    pub name: Option<String>,
    /// `Computation` or `Imputation`, from Define-XML 2.0 on.
    pub kind: Option<String>,
    /// The derivation in words.
    pub text: String,
}

/// A note that several definitions may refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its OID.
    pub oid: String,
    /// The note.
    pub text: String,
}

impl Define {
    /// The dataset of that name, whatever its case.
    #[must_use]
    pub fn dataset(&self, name: &str) -> Option<&DatasetDefinition> {
        self.datasets.iter().find(|dataset| dataset.name.eq_ignore_ascii_case(name))
    }

    /// The code list of that OID.
    #[must_use]
    pub fn codelist(&self, oid: &str) -> Option<&CodeList> {
        self.codelists.iter().find(|list| list.oid == oid)
    }

    /// The version of a dictionary that the document names, whatever the case: `MedDRA`.
    #[must_use]
    pub fn dictionary_version(&self, name: &str) -> Option<&str> {
        let mut dictionaries = self.codelists.iter().filter_map(|list| list.external.as_ref());
        dictionaries.find(|known| known.name.eq_ignore_ascii_case(name))?.version.as_deref()
    }
}

impl DatasetDefinition {
    /// The variable of that name, whatever its case.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests;
