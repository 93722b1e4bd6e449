//! `/studies/{study}/rbqm?flag=&country=&domain=&level=&method=&sort=`

use serde::{Deserialize, Serialize};

use super::address::{encode_pairs, unless_default, value};

/// What the RBQM page was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RbqmQuery {
    /// Which sites.
    pub flag: FlagFilter,
    /// Only sites of this country.
    pub country: Option<String>,
    /// Only indicators about this: `safety`, `data`, `protocol` or `retention`.
    pub domain: Option<String>,
    /// What is compared: sites unless said.
    pub level: Level,
    /// By which method; each indicator's own when none is said.
    pub method: Option<String>,
    /// The order of the matrix.
    pub sort: RbqmSort,
}

/// What the matrix compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Sites.
    #[default]
    Site,
    /// Sites of one monitor.
    Monitor,
    /// Regions of countries.
    Region,
    /// Countries.
    Country,
    /// Sites of one organisation that monitors.
    Cro,
    /// Nothing: the numbers of the whole study.
    Study,
}

impl Level {
    /// The level of this name; sites when there is none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|level| level.name() == name).unwrap_or_default()
    }

    /// Every level, from small to large.
    pub const ALL: [Self; 6] =
        [Self::Site, Self::Monitor, Self::Region, Self::Country, Self::Cro, Self::Study];

    /// As it stands in the address, and in the tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Monitor => "monitor",
            Self::Region => "region",
            Self::Country => "country",
            Self::Cro => "cro",
            Self::Study => "study",
        }
    }

    /// Its groups, one and many.
    #[must_use]
    pub const fn groups(self) -> (&'static str, &'static str) {
        match self {
            Self::Site => ("site", "sites"),
            Self::Monitor => ("monitor", "monitors"),
            Self::Region => ("region", "regions"),
            Self::Country => ("country", "countries"),
            Self::Cro => ("CRO", "CROs"),
            Self::Study => ("study", "studies"),
        }
    }

    /// One of its groups by name, as it starts a sentence: `Site 117`.
    #[must_use]
    pub fn group(self, name: &str) -> String {
        let (one, _) = self.groups();
        format!("{}{} {name}", one[..1].to_uppercase(), &one[1..])
    }
}

/// Which sites the matrix shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagFilter {
    /// Every site.
    #[default]
    All,
    /// Sites with a red or amber flag.
    Flagged,
    /// Sites with a red flag.
    Red,
}

/// The order of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RbqmSort {
    /// Highest risk score first.
    #[default]
    Worst,
    /// By site number.
    Site,
    /// By country, then site number.
    Country,
    /// Most subjects first.
    Subjects,
    /// Largest distance of this indicator first, by its identifier.
    Indicator(String),
}

impl FlagFilter {
    /// Every filter, in the order of the form.
    pub const ALL: [Self; 3] = [Self::All, Self::Flagged, Self::Red];

    /// As it stands in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Flagged => "flagged",
            Self::Red => "red",
        }
    }
}

impl RbqmSort {
    /// As it stands in the address.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Worst => "worst".to_owned(),
            Self::Site => "site".to_owned(),
            Self::Country => "country".to_owned(),
            Self::Subjects => "subjects".to_owned(),
            Self::Indicator(id) => format!("by:{id}"),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "site" => Some(Self::Site),
            "country" => Some(Self::Country),
            "subjects" => Some(Self::Subjects),
            _ => {
                name.strip_prefix("by:").filter(|id| !id.is_empty()).map(|id| Self::Indicator(id.to_owned()))
            }
        }
    }
}

impl RbqmQuery {
    /// Reads the decoded pairs of an address.
    #[must_use]
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let named = |name: &str| value(pairs, name).unwrap_or_default();
        Self {
            flag: FlagFilter::ALL.into_iter().find(|flag| flag.name() == named("flag")).unwrap_or_default(),
            country: value(pairs, "country"),
            domain: value(pairs, "domain"),
            level: Level::named(&named("level")),
            method: value(pairs, "method"),
            sort: RbqmSort::from_name(&named("sort")).unwrap_or_default(),
        }
    }

    /// Writes the query back, with its question mark.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        encode_pairs(&[
            ("flag", unless_default(&self.flag, self.flag.name())),
            ("country", self.country.clone()),
            ("domain", self.domain.clone()),
            ("level", unless_default(&self.level, self.level.name())),
            ("method", self.method.clone()),
            ("sort", unless_default(&self.sort, &self.sort.name())),
        ])
    }
}
