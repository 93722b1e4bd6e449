//! Every mart there is, each after those it reads, and each declared in a file of its own.

use crate::mart::Mart;

mod ae_grade;
mod ae_level;
mod ae_reporting;
mod ae_term;
mod definition;
mod enrolment_forecast;
mod enrolment_funnel;
mod indicator;
mod indicator_input;
mod kri;
mod kri_bounds;
mod lab_shift;
mod liver;
mod missing_association;
mod missing_count;
mod missing_mechanism;
mod missing_month;
mod missing_pattern;
mod missingness;
mod reporting;
mod retention;
mod retention_group;
mod retention_reason;
mod screen_failure;
mod site_enrolment;
mod site_risk;
mod site_test;
mod site_test_combined;
mod subject_results;
mod subject_variable;
mod tolerance_limit;
mod tolerance_site;
mod value_due;
mod visit_attendance;

/// All marts in building order.
pub const MARTS: &[Mart] = &[
    value_due::MART,
    missing_count::MART,
    missingness::MART,
    missing_month::MART,
    visit_attendance::MART,
    missing_pattern::MART,
    missing_mechanism::MART,
    missing_association::MART,
    subject_results::MART,
    indicator_input::MART,
    reporting::MART,
    definition::MART,
    kri::MART,
    indicator::MART,
    kri_bounds::MART,
    site_risk::MART,
    tolerance_limit::MART,
    tolerance_site::MART,
    retention::MART,
    retention_reason::MART,
    retention_group::MART,
    site_enrolment::MART,
    enrolment_funnel::MART,
    screen_failure::MART,
    enrolment_forecast::MART,
    ae_term::MART,
    ae_level::MART,
    ae_grade::MART,
    ae_reporting::MART,
    lab_shift::MART,
    liver::MART,
    subject_variable::MART,
    site_test::MART,
    site_test_combined::MART,
];

/// How many adverse events the facts know of enrolled subjects.
const EVENTS_OF_ENROLLED: &str = "SELECT count(*) FROM fact_ae
    WHERE subject_dk IN (SELECT subject_dk FROM dim_subject WHERE is_current AND is_enrolled)";

/// The mart of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Mart> {
    MARTS.iter().find(|mart| mart.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mart::Definition;

    #[test]
    fn every_mart_comes_after_the_marts_it_reads() {
        for (position, mart) in MARTS.iter().enumerate() {
            for input in mart.inputs.iter().filter(|input| input.starts_with("mart_")) {
                assert!(
                    MARTS[..position].iter().any(|earlier| earlier.name == *input),
                    "{} reads {input}",
                    mart.name
                );
            }
        }
    }

    #[test]
    fn every_mart_reads_tables_that_exist() {
        for mart in MARTS {
            for input in mart.inputs.iter().filter(|input| !input.starts_with("mart_")) {
                assert!(
                    warehouse::star::TABLES.iter().any(|table| table.name == *input),
                    "{} reads {input}",
                    mart.name
                );
            }
        }
    }

    #[test]
    fn a_column_comes_from_tables_that_the_mart_reads_and_marts_that_have_it() {
        for mart in MARTS {
            assert!(!mart.owner.is_empty(), "{} has no owner", mart.name);
            for column in mart.columns {
                for from in column.from {
                    let (table, of) = from.split_once('.').expect("a source is `table.column`");
                    assert!(mart.inputs.contains(&table), "{}.{} is from {from}", mart.name, column.name);
                    if let Some(earlier) = find(table) {
                        assert!(earlier.column(of).is_some(), "{}.{} is from {from}", mart.name, column.name);
                    }
                }
            }
            for name in mart.key {
                assert!(mart.column(name).is_some(), "{}: {name} of the key is no column", mart.name);
            }
            for name in mart.tests.iter().filter_map(crate::Test::column) {
                assert!(mart.column(name).is_some(), "{}: {name} of a test is no column", mart.name);
            }
        }
    }

    /// The names of tables in a query.
    fn words(query: &str) -> impl Iterator<Item = &str> {
        query.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
    }

    // What is named and not read would be built again for nothing; what is read and not named would not be built again
    // at all.
    #[test]
    fn a_query_and_its_tests_read_exactly_the_tables_that_the_mart_says() {
        for mart in MARTS {
            let sql = match mart.definition {
                Definition::Sql(sql) => sql.to_owned(),
                Definition::Native(query, ..) => query().to_owned(),
                Definition::Rust(_, _, texts) => {
                    let queries: Vec<&str> =
                        texts.iter().copied().filter(|text| text.contains("FROM ")).collect();
                    queries.join("\n")
                }
            };
            if !sql.is_empty() {
                let lines: Vec<&str> = sql.lines().filter(|line| !line.starts_with("--")).collect();
                let code = lines.join("\n");
                let tables = warehouse::star::TABLES.iter().map(|table| table.name);
                for table in tables.chain(MARTS.iter().map(|mart| mart.name)) {
                    let tests = mart.tests.iter().map(|test| test.failing(mart.name));
                    let asked = tests
                        .filter(|_| table != mart.name)
                        .any(|test| words(&test).any(|word| word == table));
                    let read = asked || words(&code).any(|word| word == table);
                    assert_eq!(read, mart.inputs.contains(&table), "{}: {table}", mart.name);
                }
            }
        }
    }

    // Engine-only functions and integer division give different answers on DuckDB and DataFusion.
    #[test]
    fn a_query_keeps_to_what_both_engines_answer_alike() {
        for mart in MARTS {
            let Some(sql) = mart.query() else { continue };
            for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
                assert!(
                    !line.contains('/') || line.contains("AS DOUBLE)"),
                    "{}: cast around `/` in: {line}",
                    mart.name
                );
                assert!(
                    !line.contains("ORDER BY") || line.contains("NULLS LAST"),
                    "{}: say NULLS LAST in: {line}",
                    mart.name
                );
            }
        }
    }
}
