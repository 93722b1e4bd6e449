//! Reading a Define-XML document.

use std::collections::HashMap;
use std::path::Path;

use super::parts::{Notes, codelist, comment, conditions, method, variable, words};
use super::{Condition, DatasetDefinition, Define, Standard, Study, ValueLevel};
use crate::error::file_name;
use crate::xml::{Element, Step, Vocabulary, Xml};
use crate::{Error, Result};

const FORMAT: &str = "Define-XML";
/// A document is held as a whole. Real ones have a few million bytes.
const MAX_BYTES: u64 = 256 << 20;
/// Lists of value-level definitions within lists.
const MAX_NESTED_LISTS: usize = 10;

impl Define {
    /// Reads a Define-XML document of version 1.0, 2.0 or 2.1.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Damaged`] with the line, the byte and the path of elements where reading stopped.
    pub fn read(path: &Path) -> Result<Self> {
        let length = path.metadata().map_err(|source| Error::io("open", path, source))?.len();
        if length > MAX_BYTES {
            let reason = format!("it has {length} bytes; {MAX_BYTES} are read at most");
            return Err(Error::damaged(&file_name(path), FORMAT, reason));
        }
        let mut xml = Xml::open(path, FORMAT)?;
        let mut document = Document::default();
        let mut created_at = None;
        loop {
            match xml.step()? {
                Step::Open(element) => match element.name.as_str() {
                    "ODM" if element.vocabulary == Vocabulary::Odm => {
                        created_at = element.get("CreationDateTime").and_then(crate::odm::zoned);
                    }
                    "Study" => document.study.oid = element.get("OID").unwrap_or_default().to_owned(),
                    "MetaDataVersion" if document.version.is_empty() => document.open(&xml, &element)?,
                    _ if document.has_begun(&element) => {
                        let element = xml.whole(element)?;
                        document.add(element);
                    }
                    name => return Err(xml.damaged(format!("`{name}` is not expected here"))),
                },
                Step::Close => {}
                Step::End => break,
            }
        }
        if document.version.is_empty() {
            return Err(xml.damaged("it holds no MetaDataVersion with a DefineVersion"));
        }
        Ok(document.settle(file_name(path), created_at))
    }
}

/// A document being read.
#[derive(Default)]
struct Document {
    study: Study,
    version: String,
    metadata_version: String,
    standards: Vec<Standard>,
    datasets: Vec<Element>,
    items: HashMap<String, Element>,
    lists: Vec<Element>,
    clauses: HashMap<String, Vec<Condition>>,
    codelists: Vec<Element>,
    methods: Vec<Element>,
    comments: Vec<Element>,
}

impl Document {
    fn open(&mut self, xml: &Xml, element: &Element) -> Result<()> {
        let version = element.extension("DefineVersion").unwrap_or_default();
        if !["1.0", "2.0", "2.1"].iter().any(|known| version.starts_with(known)) {
            return Err(xml.damaged(format!("its DefineVersion is `{version}`; 1.0, 2.0 and 2.1 are read")));
        }
        version.clone_into(&mut self.version);
        element.get("OID").unwrap_or_default().clone_into(&mut self.metadata_version);
        if let Some(name) = element.extension("StandardName") {
            self.standards.push(Standard {
                oid: String::new(),
                name: name.to_owned(),
                kind: String::new(),
                version: element.extension("StandardVersion").unwrap_or_default().to_owned(),
                publishing_set: None,
            });
        }
        Ok(())
    }

    /// Whether the document has begun as it must: parts stand in a study.
    const fn has_begun(&self, element: &Element) -> bool {
        !self.study.oid.is_empty() || matches!(element.vocabulary, Vocabulary::Vendor)
    }

    fn add(&mut self, element: Element) {
        let oid = element.get("OID").unwrap_or_default().to_owned();
        match element.name.as_str() {
            "GlobalVariables" => {
                let text = |child: &str| element.text_of(child).unwrap_or_default().to_owned();
                self.study.name = text("StudyName");
                self.study.description = text("StudyDescription");
                self.study.protocol = text("ProtocolName");
            }
            "Standards" => self.standards.extend(element.all("Standard").map(standard)),
            "ItemGroupDef" => self.datasets.push(element),
            "ItemDef" => drop(self.items.insert(oid, element)),
            "ValueListDef" => self.lists.push(element),
            "WhereClauseDef" => drop(self.clauses.insert(oid, conditions(&element))),
            "CodeList" => self.codelists.push(element),
            "MethodDef" | "ComputationMethod" => self.methods.push(element),
            "CommentDef" => self.comments.push(element),
            _ => {}
        }
    }

    fn settle(self, file: String, created_at: Option<chrono::DateTime<chrono::Utc>>) -> Define {
        let comments: Vec<_> = self.comments.iter().map(comment).collect();
        let notes = Notes::of(&comments);
        Define {
            file,
            created_at,
            datasets: self.datasets.iter().map(|dataset| self.dataset(dataset, &notes)).collect(),
            value_levels: self.value_levels(&notes),
            codelists: self.codelists.iter().map(codelist).collect(),
            methods: self.methods.iter().map(method).collect(),
            comments,
            study: self.study,
            version: self.version,
            metadata_version: self.metadata_version,
            standards: self.standards,
        }
    }

    fn dataset(&self, element: &Element, notes: &Notes<'_>) -> DatasetDefinition {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let is_yes = |answer: Option<&str>| answer == Some("Yes");
        let class = element.child("Class").filter(|class| class.vocabulary == Vocabulary::Define);
        let references: Vec<&Element> = element.all("ItemRef").collect();
        let mut variables: Vec<_> =
            references.iter().map(|reference| variable(reference, self.item(reference), notes)).collect();
        // Without a place a variable stays where it stands.
        variables.sort_by_key(|variable| variable.order.unwrap_or(u32::MAX));
        let leaf = element.child("leaf");
        DatasetDefinition {
            oid: element.get("OID").unwrap_or_default().to_owned(),
            name: element.get("Name").unwrap_or_default().to_owned(),
            domain: owned(element.get("Domain")),
            label: words(element),
            class: owned(element.extension("Class").or_else(|| class.and_then(|class| class.get("Name")))),
            purpose: owned(element.get("Purpose")),
            structure: owned(element.extension("Structure")),
            is_repeating: is_yes(element.get("Repeating")),
            is_reference: is_yes(element.get("IsReferenceData")),
            standard: owned(element.extension("StandardOID")),
            has_no_data: is_yes(element.extension("HasNoData")),
            location: owned(leaf.and_then(|leaf| leaf.extension("href"))),
            comment: notes.of_element(element),
            keys: keys(element, &variables),
            variables,
        }
    }

    fn item(&self, reference: &Element) -> Option<&Element> {
        self.items.get(reference.get("ItemOID")?)
    }

    /// The definitions of every value list, with the variable that the list belongs to.
    fn value_levels(&self, notes: &Notes<'_>) -> Vec<ValueLevel> {
        let owners: HashMap<&str, &str> = self.owners();
        let mut levels = Vec::new();
        for list in &self.lists {
            let oid = list.get("OID").unwrap_or_default();
            let of = owners.get(oid).copied().unwrap_or_default();
            for reference in list.all("ItemRef") {
                let variable = variable(reference, self.item(reference), notes);
                let clauses = if self.version.starts_with("1.") {
                    vec![self.implied(oid, of, &variable.name, &owners)]
                } else {
                    let named =
                        reference.all("WhereClauseRef").filter_map(|clause| clause.get("WhereClauseOID"));
                    named.filter_map(|clause| self.clauses.get(clause).cloned()).collect()
                };
                levels.push(ValueLevel { list: oid.to_owned(), of: of.to_owned(), clauses, variable });
            }
        }
        levels
    }

    /// Which item refers to each value list. The first in document order, as in a dataset, is its owner.
    fn owners(&self) -> HashMap<&str, &str> {
        let mut owners = HashMap::new();
        let of_datasets = self.datasets.iter().chain(&self.lists).flat_map(|place| place.all("ItemRef"));
        for item in of_datasets.filter_map(|reference| self.item(reference)) {
            let list = item.child("ValueListRef").and_then(|list| list.get("ValueListOID"));
            if let (Some(list), Some(oid)) = (list, item.get("OID")) {
                owners.entry(list).or_insert(oid);
            }
        }
        owners
    }

    /// Define-XML 1.0 has no conditions: a definition holds where the variable that its list belongs to has the
    /// value that is its name. A list within a list holds where the outer condition does too.
    fn implied(&self, list: &str, of: &str, value: &str, owners: &HashMap<&str, &str>) -> Vec<Condition> {
        // By convention the OID of a list ends with the variable: `ValueList.LB.LBCAT.CHEMISTRY.LBTESTCD`.
        let named = |list: &str| list.rsplit('.').next().unwrap_or(list).to_owned();
        let equal = |variable: String, value: &str| Condition {
            variable,
            comparator: "EQ".to_owned(),
            values: vec![value.to_owned()],
        };
        let mut conditions = vec![equal(named(list), value)];
        let mut owner = of;
        for _ in 0..MAX_NESTED_LISTS {
            let holds = |list: &&Element| list.all("ItemRef").any(|item| item.get("ItemOID") == Some(owner));
            let Some(outer) = self.lists.iter().find(holds).and_then(|list| list.get("OID")) else { break };
            let name = self.items.get(owner).and_then(|item| item.get("Name")).unwrap_or_default();
            conditions.insert(0, equal(named(outer), name));
            owner = owners.get(outer).copied().unwrap_or_default();
        }
        conditions
    }
}

fn standard(element: &Element) -> Standard {
    let text = |name: &str| element.get(name).unwrap_or_default().to_owned();
    Standard {
        oid: text("OID"),
        name: text("Name"),
        kind: text("Type"),
        version: text("Version"),
        publishing_set: element.get("PublishingSet").map(str::to_owned),
    }
}

/// Define-XML 1.0 names the keys of a dataset in one attribute, later versions number them.
fn keys(element: &Element, variables: &[super::Variable]) -> Vec<String> {
    if let Some(keys) = element.extension("DomainKeys") {
        let words = keys.split(|letter: char| letter == ',' || letter.is_whitespace());
        return words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    }
    let mut keys: Vec<(u32, &String)> =
        variables.iter().filter_map(|variable| Some((variable.key_sequence?, &variable.name))).collect();
    keys.sort_by_key(|(sequence, _)| *sequence);
    keys.into_iter().map(|(_, name)| name.clone()).collect()
}
