//! One walk through an ODM file, element by element, making the rows of at most one table.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::admin::Admin;
use super::audit::Audit;
use super::clinical::Open;
use super::header::Header;
use super::ledger::{Ledger, MAX_THINGS};
use super::metadata::{Catalog, Version};
use super::place::Place;
use super::query::Queries;
use super::table::{Collected, Row, Table};
use super::time::Time;
use super::{FORMAT, rows};
use crate::Result;
use crate::xml::{Element, Step, Xml};

/// Studies and metadata versions that one file may name.
const MAX_STUDIES: usize = 10_000;
/// Queries of one file, which are held until its end.
const MAX_QUERIES: usize = 2_000_000;

/// What a walk is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see that the file is whole, and to count the rows of every table.
    Check,
    /// To collect the audit records that others refer to.
    Records,
    /// To find out the last state of everything.
    Ledger,
    /// To hand out the rows of one table.
    Rows(Table),
}

/// Where the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Root,
    Study,
    Version,
    Admin,
    Clinical,
    Records,
    /// In the data of a subject; the level is in [`Walk::open`].
    Data,
}

/// What was learnt in earlier walks through the same file.
#[derive(Default)]
pub(super) struct Known {
    pub(super) records: HashMap<String, Audit>,
    pub(super) ledger: Option<Ledger>,
}

/// A walk through one file.
pub(super) struct Walk {
    pub(super) xml: Xml,
    pub(super) purpose: Purpose,
    pub(super) header: Header,
    pub(super) known: Known,
    pub(super) counts: [u64; Table::ALL.len()],
    pub(super) out: Collected,
    /// Whether data points refer to audit records that stand elsewhere.
    pub(super) has_references: bool,
    frames: Vec<Frame>,
    study: StudyTexts,
    version: Version,
    catalogs: HashMap<String, Catalog>,
    named: HashSet<(String, String)>,
    admin_study: Option<String>,
    pub(super) admin: Admin,
    /// What the vendor calls the kind of the changes in this `ClinicalData`.
    pub(super) subcategory: Option<String>,
    pub(super) place: Place,
    pub(super) open: Vec<Open>,
    pub(super) row: u64,
    pub(super) queries: Queries,
    /// The site of each subject, which later transactions do not repeat.
    pub(super) sites: HashMap<u128, String>,
    /// The last value of each data point, for the walk that tells what it was before.
    pub(super) values: HashMap<u128, String>,
    /// How often an audit record of one thing had one time.
    pub(super) audit_numbers: HashMap<u128, u32>,
    /// The number of each event among those with one definition in one subject.
    pub(super) repeats: HashMap<u128, u32>,
}

/// What a study says of itself before its metadata.
#[derive(Debug, Default)]
struct StudyTexts {
    oid: String,
    name: Option<String>,
    description: Option<String>,
    protocol: Option<String>,
    versions: usize,
}

impl Walk {
    /// Opens the file and reads its root element.
    pub(super) fn start(path: &Path, purpose: Purpose, known: Known) -> Result<Self> {
        let mut xml = Xml::open(path, FORMAT)?;
        let Step::Open(root) = xml.step()? else { return Err(xml.damaged("it holds no element")) };
        let header = Header::read(&root).map_err(|reason| xml.damaged(reason))?;
        let table = if let Purpose::Rows(table) = purpose { table } else { Table::Study };
        Ok(Self {
            xml,
            purpose,
            header,
            known,
            counts: [0; Table::ALL.len()],
            out: Collected::new(table),
            has_references: false,
            frames: vec![Frame::Root],
            study: StudyTexts::default(),
            version: Version::default(),
            catalogs: HashMap::new(),
            named: HashSet::new(),
            admin_study: None,
            admin: Admin::default(),
            subcategory: None,
            place: Place::default(),
            open: Vec::new(),
            row: 0,
            queries: Queries::default(),
            sites: HashMap::new(),
            values: HashMap::new(),
            audit_numbers: HashMap::new(),
            repeats: HashMap::new(),
        })
    }

    /// Goes on by one element that opens or closes. `false` at the end of the file.
    pub(super) fn step(&mut self) -> Result<bool> {
        match self.xml.step()? {
            Step::Open(element) => self.opened(element)?,
            Step::Close => self.closed()?,
            Step::End => {
                self.count(Table::Query, self.queries.standing.len() as u64);
                if self.makes(Table::Query) {
                    let rows: Vec<Row> =
                        self.queries.standing.iter().map(|query| rows::query(query, self.cutoff())).collect();
                    rows.iter().for_each(|row| self.out.push(row));
                }
                return Ok(false);
            }
        }
        if self.is_too_large() {
            return Err(self.xml.damaged(
                "it tells more studies, users, queries or data points apart than are held in memory; send it in parts, by site or by time",
            ));
        }
        Ok(true)
    }

    fn is_too_large(&self) -> bool {
        let things = [&self.audit_numbers, &self.repeats].map(HashMap::len).into_iter().max().unwrap_or(0);
        !self.admin.fits()
            || self.named.len() > MAX_STUDIES
            || self.queries.standing.len() > MAX_QUERIES
            || self.known.records.len().max(self.values.len()).max(self.sites.len()).max(things) > MAX_THINGS
    }

    /// Whether the rows of that table are asked for.
    pub(super) fn makes(&self, table: Table) -> bool {
        self.purpose == Purpose::Rows(table)
    }

    pub(super) fn count(&mut self, table: Table, rows: u64) {
        self.counts[table as usize] += rows;
    }

    /// Hands out rows that are made anyway.
    pub(super) fn hand_out(&mut self, table: Table, rows: &[Row]) {
        self.count(table, rows.len() as u64);
        if self.makes(table) {
            rows.iter().for_each(|row| self.out.push(row));
        }
    }

    /// When the file was cut.
    fn cutoff(&self) -> Option<Time> {
        let text = self.header.as_of.as_deref().or(self.header.created.as_deref());
        text.and_then(Time::parse)
    }

    pub(super) fn catalog(&self) -> Option<&Catalog> {
        self.catalogs.get(self.place.version.as_deref()?)
    }

    /// An attribute that the standard demands.
    pub(super) fn demand(&self, element: &Element, name: &str) -> Result<String> {
        let value = element.get(name).map(str::to_owned);
        value.ok_or_else(|| self.xml.damaged(format!("`{}` has no `{name}`", element.name)))
    }

    fn opened(&mut self, element: Element) -> Result<()> {
        let frame = self.frames.last().copied();
        match (frame, element.name.as_str()) {
            (Some(Frame::Root), "Study") => self.open_study(&element),
            (Some(Frame::Root), "AdminData") => {
                self.admin_study = element.get("StudyOID").map(str::to_owned);
                self.frames.push(Frame::Admin);
                Ok(())
            }
            (Some(Frame::Root), "ClinicalData") => self.open_clinical(&element),
            (Some(Frame::Study), "MetaDataVersion") => self.open_version(&element),
            (Some(Frame::Study), "GlobalVariables" | "Description") => self.describe_study(element),
            (Some(Frame::Version), _) => self.define(element),
            (Some(Frame::Admin), _) => self.administer(element),
            (Some(Frame::Clinical), "SubjectData") => {
                self.frames.push(Frame::Data);
                self.open_subject(element)
            }
            (Some(Frame::Clinical), "AuditRecords") => {
                self.frames.push(Frame::Records);
                Ok(())
            }
            (Some(Frame::Clinical), "Query" | "AuditRecord") => {
                let element = self.xml.whole(element)?;
                self.note_outside(&element);
                Ok(())
            }
            (Some(Frame::Records), "AuditRecord") => {
                let record = self.xml.whole(element)?;
                if let (Purpose::Records, Some(id)) = (self.purpose, record.get("ID")) {
                    self.known.records.insert(id.to_owned(), Audit::of_record(&record));
                }
                Ok(())
            }
            (Some(Frame::Data), _) => {
                if self.open_data(element)? {
                    self.frames.push(Frame::Data);
                }
                Ok(())
            }
            _ => self.xml.skip(),
        }
    }

    fn closed(&mut self) -> Result<()> {
        match self.frames.pop() {
            Some(Frame::Study) if self.study.versions == 0 => {
                self.tell_study(None, None);
                Ok(())
            }
            Some(Frame::Version) => self.close_version(),
            Some(Frame::Data) => self.close_data(),
            _ => Ok(()),
        }
    }

    fn open_study(&mut self, element: &Element) -> Result<()> {
        // ODM 2.0 has the names as attributes.
        let owned = |name: &str| element.get(name).map(str::to_owned);
        self.study = StudyTexts {
            oid: self.demand(element, "OID")?,
            name: owned("StudyName"),
            protocol: owned("ProtocolName"),
            ..StudyTexts::default()
        };
        self.frames.push(Frame::Study);
        Ok(())
    }

    fn describe_study(&mut self, element: Element) -> Result<()> {
        let element = self.xml.whole(element)?;
        let text = |child: &str| element.text_of(child).map(str::to_owned);
        if element.name == "Description" {
            self.study.description = text("TranslatedText");
        } else {
            self.study.name = text("StudyName");
            self.study.description = text("StudyDescription");
            self.study.protocol = text("ProtocolName");
        }
        Ok(())
    }

    fn open_version(&mut self, element: &Element) -> Result<()> {
        if element.extension("DefineVersion").is_some() {
            return Err(self
                .xml
                .damaged("it is a Define-XML definition, which describes datasets and holds none"));
        }
        let oid = self.demand(element, "OID")?;
        self.study.versions += 1;
        self.tell_study(Some(&oid), element.get("Name"));
        self.version = Version::new(self.study.oid.clone(), oid);
        self.frames.push(Frame::Version);
        Ok(())
    }

    fn tell_study(&mut self, version: Option<&str>, version_name: Option<&str>) {
        let study = self.study.oid.clone();
        self.named.insert((study.clone(), version.unwrap_or_default().to_owned()));
        let mut row = Row::new(Table::Study);
        row.set_all(&[
            ("STUDY", Some(&study)),
            ("STUDY_NAME", self.study.name.as_deref()),
            ("STUDY_DESCRIPTION", self.study.description.as_deref()),
            ("PROTOCOL_NAME", self.study.protocol.as_deref()),
            ("METADATA_VERSION", version),
            ("METADATA_VERSION_NAME", version_name),
        ]);
        for (column, cell) in self.header.cells() {
            row.set(column, cell.clone());
        }
        self.hand_out(Table::Study, &[row]);
    }

    fn define(&mut self, element: Element) -> Result<()> {
        let element = self.xml.whole(element)?;
        if element.is("CodeList") {
            let rows = self.version.code_list_rows(&element);
            self.hand_out(Table::CodeList, &rows);
            return Ok(());
        }
        if self.version.add(&element) { Ok(()) } else { Err(self.too_many_parts()) }
    }

    fn too_many_parts(&self) -> crate::Error {
        self.xml.damaged("its metadata have more definitions and references than a study can use")
    }

    fn close_version(&mut self) -> Result<()> {
        let mut version = std::mem::take(&mut self.version);
        version.settle();
        self.catalogs.insert(version.oid().to_owned(), version.catalog());
        self.hand_out(Table::EventDef, &version.event_rows());
        self.hand_out(Table::FormDef, &version.form_rows());
        let items = version.item_rows().ok_or_else(|| self.too_many_parts())?;
        self.hand_out(Table::ItemDef, &items);
        Ok(())
    }

    fn administer(&mut self, element: Element) -> Result<()> {
        let element = self.xml.whole(element)?;
        let study = self.admin_study.clone();
        match element.name.as_str() {
            "Location" => {
                let row = self.admin.location(study.as_deref(), &element);
                self.hand_out(Table::Site, &[row]);
                self.place = Place {
                    study: study.unwrap_or_else(|| self.study.oid.clone()),
                    site: element.get("OID").map(str::to_owned),
                    ..Place::default()
                };
                element.all("Query").for_each(|query| self.note_outside(query));
                self.place = Place::default();
            }
            "User" => {
                let row = self.admin.user(study.as_deref(), &element);
                self.hand_out(Table::User, &[row]);
            }
            "SignatureDef" => self.admin.signature_definition(&element),
            _ => {}
        }
        Ok(())
    }

    fn open_clinical(&mut self, element: &Element) -> Result<()> {
        let study = self.demand(element, "StudyOID")?;
        let version = self.demand(element, "MetaDataVersionOID")?;
        self.subcategory = element.extension("AuditSubCategoryName").map(str::to_owned);
        if !self.named.contains(&(study.clone(), version.clone())) {
            self.study = StudyTexts { oid: study.clone(), versions: 1, ..StudyTexts::default() };
            self.tell_study(Some(&version), None);
        }
        self.place = Place { study, version: Some(version), ..Place::default() };
        self.frames.push(Frame::Clinical);
        Ok(())
    }
}
