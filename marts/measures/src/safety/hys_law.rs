//! The pattern of liver tests that announces severe injury by a drug.

use crate::error::MeasureError;

/// What a liver test measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiverAnalyte {
    /// Alanine aminotransferase.
    Alanine,
    /// Aspartate aminotransferase.
    Aspartate,
    /// Total bilirubin.
    Bilirubin,
    /// Alkaline phosphatase.
    AlkalinePhosphatase,
}

/// One result of one subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiverResult {
    /// What was measured.
    pub analyte: LiverAnalyte,
    /// When, in days on any one scale.
    pub day: f64,
    /// The value over the upper limit of normal of its laboratory.
    pub of_upper_limit: f64,
}

/// The first time at which a subject meets the laboratory part of Hy's law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HysLawCase {
    /// The day of the transaminase result.
    pub transaminase_day: f64,
    /// The day of the bilirubin result.
    pub bilirubin_day: f64,
    /// The highest alkaline phosphatase in the window around the transaminase result, over its upper limit of
    /// normal; none where it was not measured there. Below 2 there is no cholestasis that would explain the bilirubin.
    pub alkaline_phosphatase: Option<f64>,
}

impl HysLawCase {
    /// Whether cholestasis is ruled out, that is alkaline phosphatase is below twice its upper limit; none where
    /// it is not known.
    #[must_use]
    pub fn without_cholestasis(&self) -> Option<bool> {
        self.alkaline_phosphatase.map(|highest| highest < 2.0)
    }
}

/// Whether one subject's results hold alanine or aspartate aminotransferase of at least 3 times and bilirubin of at least
/// 2 times the upper limit of normal no more than `window_days` apart, before or after. The earliest such pair, by
/// the day on which it was complete. Other causes (the third part of the law) are for a person to judge.
///
/// # Errors
/// For a day or a value that is not finite, a negative value, and a window that is negative or not a number.
// Source: FDA Guidance for Industry, "Drug-Induced Liver Injury: Premarketing Clinical Evaluation", 2009, with the
// closed limits that are usual in evaluation of drug-induced serious hepatotoxicity.
pub fn hys_law(results: &[LiverResult], window_days: f64) -> Result<Option<HysLawCase>, MeasureError> {
    check(results, window_days)?;
    let of = |wanted: &'static [LiverAnalyte], least: f64| {
        results
            .iter()
            .filter(move |result| wanted.contains(&result.analyte) && result.of_upper_limit >= least)
    };
    let mut bilirubin: Vec<f64> = of(&[LiverAnalyte::Bilirubin], 2.0).map(|result| result.day).collect();
    bilirubin.sort_by(f64::total_cmp);
    // The first bilirubin in the window makes the earliest pair of each transaminase result.
    let pairs = of(&[LiverAnalyte::Alanine, LiverAnalyte::Aspartate], 3.0).filter_map(|transaminase| {
        let first = bilirubin.partition_point(|day| *day < transaminase.day - window_days);
        let day = bilirubin.get(first).filter(|day| **day - transaminase.day <= window_days)?;
        Some((transaminase.day.max(*day), transaminase.day, *day))
    });
    let earliest =
        pairs.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
    Ok(earliest.map(|(_, transaminase_day, bilirubin_day)| {
        let near = of(&[LiverAnalyte::AlkalinePhosphatase], 0.0)
            .filter(|result| (result.day - transaminase_day).abs() <= window_days);
        let alkaline_phosphatase = near.map(|result| result.of_upper_limit).reduce(f64::max);
        HysLawCase { transaminase_day, bilirubin_day, alkaline_phosphatase }
    }))
}

fn check(results: &[LiverResult], window_days: f64) -> Result<(), MeasureError> {
    if window_days.is_nan() || window_days < 0.0 {
        return Err(MeasureError::OutOfRange { what: "window in days", index: 0, value: window_days });
    }
    for (index, result) in results.iter().enumerate() {
        if !result.day.is_finite() {
            return Err(MeasureError::OutOfRange { what: "day", index, value: result.day });
        }
        if !result.of_upper_limit.is_finite() || result.of_upper_limit < 0.0 {
            return Err(MeasureError::OutOfRange { what: "value", index, value: result.of_upper_limit });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::LiverAnalyte::{Alanine, AlkalinePhosphatase, Aspartate, Bilirubin};
    use super::*;

    fn case(results: &[(LiverAnalyte, f64, f64)], window_days: f64) -> Option<HysLawCase> {
        let result = |&(analyte, day, of_upper_limit): &_| LiverResult { analyte, day, of_upper_limit };
        let results: Vec<LiverResult> = results.iter().map(result).collect();
        hys_law(&results, window_days).expect("the results are valid")
    }

    #[test]
    fn both_must_be_raised_within_the_window() {
        let pair = |aspartate, bilirubin, gap| {
            case(&[(Aspartate, 5.0, aspartate), (Bilirubin, 5.0 + gap, bilirubin)], 30.0)
        };
        assert!(pair(3.0, 2.0, 0.0).is_some());
        assert!(pair(3.0, 2.0, 30.0).is_some());
        assert!(pair(3.0, 2.0, -30.0).is_some());
        assert!(pair(3.0, 2.0, 31.0).is_none());
        assert!(pair(2.99, 2.0, 0.0).is_none());
        assert!(pair(3.0, 1.99, 0.0).is_none());
    }

    #[test]
    fn the_first_complete_pair_counts() {
        let results =
            [(Alanine, 40.0, 9.0), (Bilirubin, 41.0, 3.0), (Alanine, 20.0, 3.5), (Bilirubin, 10.0, 2.5)];
        let found = case(&results, 14.0).expect("both are raised");
        assert_eq!((found.transaminase_day, found.bilirubin_day), (20.0, 10.0));
    }

    #[test]
    fn cholestasis_is_told_apart_from_not_known() {
        let raised = [(Alanine, 1.0, 4.0), (Bilirubin, 2.0, 2.0)];
        let with = |day, value| {
            let results = [raised[0], raised[1], (AlkalinePhosphatase, day, value)];
            case(&results, 7.0).expect("both are raised").without_cholestasis()
        };
        assert_eq!(with(1.0, 1.9), Some(true));
        assert_eq!(with(1.0, 2.0), Some(false));
        assert_eq!(with(9.0, 1.0), None);
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let result = |day, of_upper_limit| LiverResult { analyte: Alanine, day, of_upper_limit };
        assert!(hys_law(&[result(f64::NAN, 1.0)], 1.0).is_err());
        assert!(hys_law(&[result(1.0, f64::NAN)], 1.0).is_err());
        assert!(hys_law(&[result(1.0, -1.0)], 1.0).is_err());
        assert!(hys_law(&[], f64::NAN).is_err());
    }
}
