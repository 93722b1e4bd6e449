//! The registry as a page for people: `docs/quality.md` is this text, and a test holds it.

use std::fmt::Write;

use super::registry::{Category, Check, Test, checks};
use crate::Result;

const HEAD: &str = "# Quality checks

Every snapshot holds two tables: `quality_check`, with what each check was asked of and how many rows violate it, and
`quality_finding`, with the first 1,000 violating rows of each. A check that was asked of no row is *not applicable*:
neither passed nor failed. Whether a count is good enough is judged when it is read, from
[thresholds](../warehouse/src/quality/thresholds.toml) with an owner and a reason; a tenant's own stand in the file
`settings/quality-thresholds.toml` of its folder and come first.

The checks are declared in [`checks.toml`](../warehouse/src/quality/checks.toml); those of keys follow from the contract.
Categories are those of Kahn et al. 2016. This page is made from the registry; `cairn quality list` shows the counts of a
study.
";

/// The page.
///
/// # Errors
/// As [`checks`].
pub fn markdown() -> Result<String> {
    let mut page = HEAD.to_owned();
    for category in [Category::Conformance, Category::Completeness, Category::Plausibility] {
        let mut of: Vec<&Check> = checks()?.iter().filter(|check| check.category == category).collect();
        of.sort_by(|a, b| a.subcategory.cmp(&b.subcategory).then(a.id.cmp(&b.id)));
        write_category(&mut page, category, &of);
    }
    Ok(page)
}

fn write_category(page: &mut String, category: Category, checks: &[&Check]) {
    let name = category.name();
    let _ = write!(page, "\n## {}{}: {} checks\n", name[..1].to_uppercase(), &name[1..], checks.len());
    let _ = write!(
        page,
        "\n| check | kind | severity | what holds | asked of | what to do |\n|---|---|---|---|---|---|\n"
    );
    for check in checks {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            check.id,
            check.subcategory,
            check.severity.name(),
            check.description,
            asked_of(check),
            check.remedy
        );
    }
}

fn asked_of(check: &Check) -> String {
    match &check.test {
        Test::Row { of, .. } | Test::Repeated { of, .. } if of == "TRUE" => {
            format!("every `{}`", check.entity)
        }
        Test::Row { .. } | Test::Repeated { .. } => {
            format!("each `{}` that has what is compared", check.entity)
        }
        Test::Collected => format!("the expected columns of `{}`", check.entity),
        Test::Quarantine => "every delivered row".to_owned(),
        Test::Drift(_) => "entities of at least 20 rows, where there is a former snapshot".to_owned(),
    }
}
