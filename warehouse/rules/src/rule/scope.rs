//! Where a rule applies.

use crate::class::Class;
use crate::study::Unit;

/// The classes and domains that a rule names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) classes: Selection,
    pub(crate) domains: Selection,
    pub(crate) splits: Option<Splits>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
}

/// What becomes of the parts of a split dataset. Unsaid, they are judged as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Splits {
    Included,
    Excluded,
}

impl Scope {
    /// Why the rule does not apply to a dataset called `name` of a unit, if it does not.
    pub(crate) fn refuses(&self, unit: &Unit, name: &str, class: Option<Class>) -> Option<String> {
        let split = name != unit.name && !unit.is_called(name);
        if self.splits == Some(Splits::Excluded) && split {
            return Some(format!("the rule leaves out split datasets such as `{name}`"));
        }
        let by_split = self.splits == Some(Splits::Included) && split;
        let named = |list: &[String]| list.iter().any(|pattern| names(pattern, unit, name));
        let all = self.domains.include.is_empty() && (self.splits != Some(Splits::Included) || split);
        if !(all || by_split || named(&self.domains.include)) || named(&self.domains.exclude) {
            return Some(format!("the rule does not apply to dataset `{name}`"));
        }
        let holds = |list: &[String]| list.iter().any(|word| word == "ALL" || fits(word, class));
        let classes = &self.classes;
        if !(classes.include.is_empty() || holds(&classes.include)) || holds(&classes.exclude) {
            let class = class.map_or("unknown", Class::word);
            return Some(format!("the rule does not apply to class `{class}`"));
        }
        None
    }
}

/// Whether a class is the one of that name; Findings About are findings.
fn fits(word: &str, class: Option<Class>) -> bool {
    class.is_some_and(|class| word == class.word() || (class == Class::FindingsAbout && word == "FINDINGS"))
}

/// Whether a pattern of a scope names the dataset: `ALL`, `SUPP--`, `AP--`, a domain or a dataset.
fn names(pattern: &str, unit: &Unit, name: &str) -> bool {
    let domain = unit.domain.as_deref();
    match pattern {
        "ALL" => true,
        "SUPP--" | "SQ--" => unit.is_supplemental(),
        "AP--" | "APFA--" => is_associated(domain.or(unit.parent.as_deref()).unwrap_or(name)),
        _ => name == pattern || unit.is_called(pattern),
    }
}

/// Whether a domain is about persons other than the subjects.
fn is_associated(domain: &str) -> bool {
    domain.starts_with("AP") && domain.len() >= 4
}
