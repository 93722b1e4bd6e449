use std::collections::BTreeMap;

use kernel::Seed;

use super::*;
use crate::detection::calibration::{Calibration, Counts};

fn verdict(is_red: bool, score: f64, q: f64) -> Verdict {
    Verdict { is_red, score, q }
}

fn found(kind: AnomalyKind, verdict: Verdict, delay: Option<f64>) -> Found {
    Found { kind, delay_months: [None, delay], verdict }
}

// By hand: of two, ours finds both and the reference one. Of 40 null sites the reference flags three and ours one, so that
// the reference is held to scores above its second largest, 3.5, at which it finds neither.
#[test]
fn the_page_says_who_found_what_and_where_ours_is_not_better() {
    let mut null_sites = vec![vec![Verdict::default(); 20]; 2];
    null_sites[0][0] = verdict(true, 4.0, 0.5);
    null_sites[0][1] = verdict(true, 3.5, 0.01);
    null_sites[1][0] = verdict(true, 3.2, 0.5);
    let counts = Counts { tests: 1000, below: [40, 8, 1], below_alike: [50, 12, 2] };
    let outcome = Outcome {
        found: vec![
            found(AnomalyKind::DelayedEntry, verdict(true, 3.4, 0.01), Some(1.0)),
            found(AnomalyKind::DelayedEntry, verdict(false, 1.0, 0.01), Some(2.0)),
            found(AnomalyKind::SiteTransfer, Verdict::default(), None),
        ],
        null_sites,
        null_countries: vec![vec![Verdict::default(); 3]; 2],
        calibration: Calibration(BTreeMap::from([(("C1".to_owned(), "mean".to_owned()), counts)])),
    };
    let size = Size { studies: 2, nulls: 2, sites: 20, subjects_per_site: 10.0, cuts: 2, seed: Seed(1) };
    let page = markdown(&size, &outcome);
    // By statsmodels 0.15.0: Wilson's limits of 1, 2 and 0 of 2 are 9.5 and 90.5, 34.2 and 100, 0 and 65.8 percent.
    let line = "| 5 | `delayed_entry` | 2 | 50 % (9–91) | 100 % (34–100) | 0 % (0–66) | – | 1.5 months |";
    assert!(page.contains(line), "{page}");
    assert!(page.contains("| sites flagged per null study, of 20 | 1.50 | 0.50 |"), "{page}");
    assert!(page.contains("| C1 `mean` | 1000 | 5.00 | 1.20 | 0.20 | 4.00 | 0.80 | 0.10 |"), "{page}");
    let (_, last) = page.split_once("## Where ours is not better").expect("the last part is there");
    assert!(
        last.contains("- `site_transfer`: neither finds any.") && !last.contains("delayed_entry"),
        "{last}"
    );
}
