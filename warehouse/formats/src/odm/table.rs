//! The tables that an ODM file is read as, and their columns.

use arrow::datatypes::SchemaRef;

use crate::Result;
use crate::dataset::{Column, ColumnKind};
use crate::text::{Rows, schema};

/// One table of an ODM file. `docs/odm.md` says what its columns mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Study,
    Site,
    User,
    EventDef,
    FormDef,
    ItemDef,
    CodeList,
    Subject,
    Event,
    Form,
    Item,
    Audit,
    Query,
    QueryEvent,
    Signature,
}

impl Table {
    pub(super) const ALL: [Self; 15] = [
        Self::Study,
        Self::Site,
        Self::User,
        Self::EventDef,
        Self::FormDef,
        Self::ItemDef,
        Self::CodeList,
        Self::Subject,
        Self::Event,
        Self::Form,
        Self::Item,
        Self::Audit,
        Self::Query,
        Self::QueryEvent,
        Self::Signature,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Study => "ODM.STUDY",
            Self::Site => "ODM.SITE",
            Self::User => "ODM.USER",
            Self::EventDef => "ODM.EVENTDEF",
            Self::FormDef => "ODM.FORMDEF",
            Self::ItemDef => "ODM.ITEMDEF",
            Self::CodeList => "ODM.CODELIST",
            Self::Subject => "ODM.SUBJECT",
            Self::Event => "ODM.EVENT",
            Self::Form => "ODM.FORM",
            Self::Item => "ODM.ITEM",
            Self::Audit => "ODM.AUDIT",
            Self::Query => "ODM.QUERY",
            Self::QueryEvent => "ODM.QUERYEVENT",
            Self::Signature => "ODM.SIGNATURE",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Study => "Studies and their metadata versions",
            Self::Site => "Sites",
            Self::User => "Users",
            Self::EventDef => "Planned events",
            Self::FormDef => "Forms at their events",
            Self::ItemDef => "Items in their groups and forms",
            Self::CodeList => "Terms of code lists",
            Self::Subject => "Subjects",
            Self::Event => "Events of subjects",
            Self::Form => "Forms of subjects",
            Self::Item => "Data points",
            Self::Audit => "Audit records",
            Self::Query => "Queries as they stand",
            Self::QueryEvent => "Changes of queries",
            Self::Signature => "Signatures",
        }
    }

    /// Its columns: what places a row, then what it says.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static str> {
        let (place, own) = self.parts();
        place.iter().chain(own).copied()
    }

    const fn parts(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Study => (&[], &STUDY),
            Self::Site => (&[], &SITE),
            Self::User => (&[], &USER),
            Self::EventDef => (&[], &EVENT_DEF),
            Self::FormDef => (&[], &FORM_DEF),
            Self::ItemDef => (&[], &ITEM_DEF),
            Self::CodeList => (&[], &CODE_LIST),
            Self::Subject => (PLACE.split_at(SUBJECT_PLACE).0, &SUBJECT),
            Self::Event => (PLACE.split_at(EVENT_PLACE).0, &EVENT),
            Self::Form => (PLACE.split_at(FORM_PLACE).0, &FORM),
            Self::Item => (&PLACE, &ITEM),
            Self::Audit => (&PLACE, &AUDIT),
            Self::Query => (&PLACE, &QUERY),
            Self::QueryEvent => (&PLACE, &QUERY_EVENT),
            Self::Signature => (&PLACE, &SIGNATURE),
        }
    }

    pub(super) fn dataset_columns(self) -> Vec<Column> {
        self.columns().map(|name| Column::new(name, ColumnKind::Text, "text")).collect()
    }
}

/// Where in a subject's data a row stands.
pub(super) const PLACE: [&str; 17] = [
    "STUDY",
    "METADATA_VERSION",
    "SUBJECT_KEY",
    "SUBJECT_NAME",
    "SITE",
    "EVENT_KEY",
    "EVENT_OID",
    "EVENT_REPEAT",
    "VISIT_NUM",
    "FORM_KEY",
    "FORM_OID",
    "FORM_REPEAT",
    "ITEM_GROUP_KEY",
    "ITEM_GROUP_OID",
    "ITEM_GROUP_REPEAT",
    "ITEM_KEY",
    "ITEM_OID",
];
const SUBJECT_PLACE: usize = 5;
const EVENT_PLACE: usize = 9;
const FORM_PLACE: usize = 12;

const STUDY: [&str; 16] = [
    "STUDY",
    "STUDY_NAME",
    "STUDY_DESCRIPTION",
    "PROTOCOL_NAME",
    "METADATA_VERSION",
    "METADATA_VERSION_NAME",
    "ODM_VERSION",
    "FILE_OID",
    "FILE_TYPE",
    "GRANULARITY",
    "CREATED",
    "AS_OF",
    "PRIOR_FILE",
    "ORIGINATOR",
    "SOURCE_SYSTEM",
    "SOURCE_SYSTEM_VERSION",
];
const SITE: [&str; 10] = [
    "STUDY",
    "SITE",
    "SITE_NAME",
    "LOCATION_TYPE",
    "IS_SITE",
    "CITY",
    "STATE",
    "COUNTRY",
    "METADATA_VERSION",
    "EFFECTIVE_DATE",
];
const USER: [&str; 5] = ["STUDY", "USER", "ROLE", "LOCATION", "ORGANIZATION"];
const EVENT_DEF: [&str; 17] = [
    "STUDY",
    "METADATA_VERSION",
    "EVENT_OID",
    "EVENT_NAME",
    "EVENT_TYPE",
    "CATEGORY",
    "REPEATING",
    "MANDATORY",
    "VISIT_NUM",
    "IS_PLANNED",
    "FORMS",
    "TIMING_FROM",
    "TIMING_TARGET_DAYS",
    "WINDOW_LOWER_DAYS",
    "WINDOW_UPPER_DAYS",
    "TIMING_TYPE",
    "ANCHOR",
];
const FORM_DEF: [&str; 8] =
    ["STUDY", "METADATA_VERSION", "EVENT_OID", "FORM_OID", "FORM_NAME", "REPEATING", "MANDATORY", "ORDER"];
const ITEM_DEF: [&str; 16] = [
    "STUDY",
    "METADATA_VERSION",
    "FORM_OID",
    "ITEM_GROUP_OID",
    "ITEM_GROUP_NAME",
    "ITEM_GROUP_REPEATING",
    "ITEM_OID",
    "ITEM_NAME",
    "QUESTION",
    "DATA_TYPE",
    "LENGTH",
    "SIGNIFICANT_DIGITS",
    "CODELIST",
    "MANDATORY",
    "ORDER",
    "KEY_SEQUENCE",
];
const CODE_LIST: [&str; 11] = [
    "STUDY",
    "METADATA_VERSION",
    "CODELIST",
    "CODELIST_NAME",
    "DATA_TYPE",
    "CODED_VALUE",
    "DECODE",
    "RANK",
    "ORDER",
    "DICTIONARY",
    "DICTIONARY_VERSION",
];
const SUBJECT: [&str; 10] = [
    "INVESTIGATOR",
    "STATUS",
    "SEX",
    "BIRTH_DATE",
    "SECONDARY_ID",
    "ROW",
    "TRANSACTION",
    "STATE",
    "FIRST_TIME",
    "LAST_TIME",
];
const EVENT: [&str; 11] = [
    "EVENT_NAME",
    "EVENT_REPEAT_NUMBER",
    "START_DATE",
    "END_DATE",
    "STATUS",
    "ROW",
    "TRANSACTION",
    "STATE",
    "FIRST_TIME",
    "LAST_TIME",
    "VISIT_STATE",
];
const FORM: [&str; 14] = [
    "EVENT_NAME",
    "EVENT_DATE",
    "STATUS",
    "CONTENT",
    "SDV",
    "FROZEN",
    "LOCKED",
    "SIGNED_TIME",
    "ROW",
    "TRANSACTION",
    "STATE",
    "FIRST_TIME",
    "LAST_TIME",
    "TIME_PRECISION",
];
const ITEM: [&str; 12] = [
    "LOG_LINE",
    "VALUE",
    "IS_NULL",
    "DATA_TYPE",
    "MANDATORY",
    "UNIT",
    "CHANGES",
    "ROW",
    "TRANSACTION",
    "STATE",
    "FIRST_TIME",
    "LAST_TIME",
];
const AUDIT: [&str; 15] = [
    "AUDIT_ID",
    "SOURCE_ID",
    "LEVEL",
    "TRANSACTION",
    "ACTION",
    "SUBCATEGORY",
    "OLD_VALUE",
    "NEW_VALUE",
    "REASON",
    "USER",
    "USER_ROLE",
    "LOCATION",
    "TIME",
    "EDIT_POINT",
    "ROW",
];
const QUERY: [&str; 19] = [
    "QUERY_ID",
    "SOURCE_ID",
    "LEVEL",
    "SOURCE",
    "SOURCE_TEXT",
    "TARGET",
    "TYPE",
    "STATE",
    "STATE_TEXT",
    "TEXT",
    "RESPONSE",
    "OPENED",
    "ANSWERED",
    "CLOSED",
    "UPDATED",
    "REOPENED",
    "EVENTS",
    "AGE_DAYS",
    "TIME_PRECISION",
];
const QUERY_EVENT: [&str; 9] =
    ["QUERY_ID", "EVENT_NO", "FROM_STATE", "TO_STATE", "STATE_TEXT", "TEXT", "USER", "USER_ROLE", "TIME"];
const SIGNATURE: [&str; 9] = [
    "SIGNATURE_ID",
    "LEVEL",
    "USER",
    "USER_ROLE",
    "LOCATION",
    "SIGNATURE_DEF",
    "MEANING",
    "LEGAL_REASON",
    "TIME",
];

/// One row being made. Cells are set by column name, in any order; the order of the columns is the fastest.
pub(super) struct Row {
    columns: Vec<&'static str>,
    cells: Vec<Option<String>>,
    next: usize,
}

impl Row {
    pub(super) fn new(table: Table) -> Self {
        let columns: Vec<_> = table.columns().collect();
        let cells = vec![None; columns.len()];
        Self { columns, cells, next: 0 }
    }

    /// Sets a cell. Empty text is null. A column that the table does not have is passed over, so that one
    /// place serves all levels.
    pub(super) fn set(&mut self, column: &str, value: Option<impl Into<String>>) -> &mut Self {
        let after = self.columns[self.next..].iter().position(|known| *known == column);
        let position = after
            .map(|offset| self.next + offset)
            .or_else(|| self.columns.iter().position(|known| *known == column));
        if let Some(position) = position {
            self.cells[position] = value.map(Into::into).filter(|text| !text.is_empty());
            self.next = position + 1;
        }
        self
    }

    /// Sets several cells.
    pub(super) fn set_all(&mut self, cells: &[(&str, Option<&str>)]) -> &mut Self {
        for (column, value) in cells {
            self.set(column, *value);
        }
        self
    }
}

/// Rows that are collected for one table.
pub(super) struct Collected {
    schema: SchemaRef,
    rows: Option<Rows>,
    count: usize,
}

impl Collected {
    pub(super) fn new(table: Table) -> Self {
        Self { schema: schema(&table.dataset_columns()), rows: None, count: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, row: &Row) {
        let rows = self.rows.get_or_insert_with(|| Rows::new(&self.schema));
        let mut bytes = 0;
        for (cell, column) in row.cells.iter().zip(&mut rows.columns) {
            match cell {
                Some(text) => {
                    column.push(text.as_bytes());
                    bytes += text.len();
                }
                None => column.push_null(),
            }
        }
        rows.add(1, bytes);
        self.count += 1;
    }

    pub(super) fn take(&mut self) -> Result<Option<arrow::array::RecordBatch>> {
        self.count = 0;
        self.rows.take().map_or(Ok(None), |mut rows| rows.finish("collect the rows of an ODM table"))
    }
}
