//! Which shipped mapping a delivery is written for.

use super::name::listed;
use super::{Mapping, SHIPPED};
use crate::{Error, Result};
use formats::Dataset;

/// How well one mapping fits a delivery.
struct Candidate {
    mapping: Mapping,
    /// Datasets that it reads, with every column that they need.
    readable: usize,
    /// Datasets that it knows by name.
    named: usize,
    /// Why the first dataset that it knows by name cannot be read.
    obstacle: Option<String>,
}

impl Mapping {
    /// The shipped mapping that reads most of `datasets`, judged by the columns that each needs. When none reads
    /// any, the one that alone knows their names stands, so that its refusal can say what is missing.
    ///
    /// # Errors
    /// [`Error::NoMapping`] when none or several fit; it lists the candidates and why they were not taken.
    pub fn detect(datasets: &[&Dataset]) -> Result<Self> {
        let candidates: Vec<Candidate> =
            SHIPPED.iter().map(|(name, text)| Candidate::of(name, text, datasets)).collect::<Result<_>>()?;
        let most = candidates.iter().map(|candidate| candidate.readable).max().unwrap_or(0);
        let best: Vec<&Candidate> = if most > 0 {
            candidates.iter().filter(|candidate| candidate.readable == most).collect()
        } else {
            candidates.iter().filter(|candidate| candidate.named > 0).collect()
        };
        if let [only] = best[..] {
            return Ok(only.mapping.clone());
        }
        let told: Vec<String> = candidates
            .iter()
            .filter(|candidate| candidate.named > 0)
            .map(|one| one.told(datasets.len()))
            .collect();
        Err(Error::NoMapping {
            datasets: listed(datasets.iter().map(|dataset| dataset.name.as_str())),
            candidates: if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) },
        })
    }
}

impl Candidate {
    fn of(name: &str, text: &str, datasets: &[&Dataset]) -> Result<Self> {
        let mapping = Mapping::parse(name, text)?;
        let mut candidate = Self { mapping, readable: 0, named: 0, obstacle: None };
        for dataset in datasets {
            match candidate.mapping.blocks(dataset, &[]) {
                Ok(blocks) => {
                    candidate.readable += usize::from(!blocks.is_empty());
                    candidate.named += usize::from(!blocks.is_empty());
                }
                Err(Error::UnknownDataset { .. }) => {}
                Err(error) => {
                    candidate.named += 1;
                    candidate.obstacle.get_or_insert(error.to_string());
                }
            }
        }
        Ok(candidate)
    }

    fn told(&self, datasets: usize) -> String {
        let obstacle = self.obstacle.as_ref().map(|obstacle| format!(": {obstacle}")).unwrap_or_default();
        format!("`{}` reads {} of {datasets}{obstacle}", self.mapping.name, self.readable)
    }
}

#[cfg(test)]
mod tests {
    use formats::{Column, ColumnKind, Format};

    use super::*;

    fn dataset(name: &str, columns: &[&str]) -> Dataset {
        Dataset {
            file: format!("{}.csv", name.to_ascii_lowercase()),
            name: name.to_owned(),
            label: String::new(),
            format: Format::Csv { delimiter: b',', quote: b'"' },
            encoding: "utf-8",
            created_at: None,
            columns: columns.iter().map(|name| Column::new(*name, ColumnKind::Text, "text")).collect(),
            rows: None,
        }
    }

    #[track_caller]
    fn check(datasets: &[Dataset], expected: &str) {
        let datasets: Vec<&Dataset> = datasets.iter().collect();
        assert_eq!(Mapping::detect(&datasets).expect("one fits").name, expected);
    }

    const SDTM_AE: [&str; 4] = ["STUDYID", "USUBJID", "AESEQ", "AETERM"];
    const EDC_AE: [&str; 4] = ["studyid", "subjid", "aeterm", "aeser"];

    #[test]
    fn the_needed_columns_decide_and_not_the_name() {
        check(&[dataset("AE", &SDTM_AE)], "sdtm");
        check(&[dataset("AE", &EDC_AE)], "edc");
        check(&[dataset("AE", &EDC_AE), dataset("SITE", &["protocol", "pi_number"])], "edc");
        check(&[dataset("XB", &["STUDYID", "USUBJID", "XBSEQ", "XBTESTCD"])], "sdtm");
        check(&[dataset("PERSON", &["person_id", "gender_concept_id", "year_of_birth"])], "omop");
    }

    #[test]
    fn who_alone_knows_the_name_may_say_what_is_missing() {
        check(&[dataset("CM", &["STUDYID", "USUBJID"])], "sdtm");
    }

    #[test]
    fn when_it_is_not_clear_the_candidates_are_listed() {
        let unclear = dataset("AE", &["AETERM"]);
        let error = Mapping::detect(&[&unclear]).expect_err("neither fits").to_string();
        for part in ["`AE`", "`sdtm` reads 0 of 1", "`edc` reads 0 of 1", "STUDYID", "--mapping"] {
            assert!(error.contains(part), "{part} in {error}");
        }
        let unknown = dataset("WEATHER", &["DAY", "RAIN"]);
        let error = Mapping::detect(&[&unknown]).expect_err("none fits").to_string();
        assert!(error.contains("no mapping fits the datasets `WEATHER`;"), "{error}");
    }
}
