//! The page with the figures.

use std::fmt::Write as _;

use evidence::simulate::anomaly::AnomalyKind;

use super::flagged::LIMIT;
use super::plan::{STEP_MONTHS, Size, kinds};
use super::{Found, Outcome};

/// The page in Markdown.
pub(crate) fn markdown(size: &Size, outcome: &Outcome) -> String {
    let mut page = head(size, outcome);
    let mut sentences = String::new();
    for kind in kinds() {
        let of_kind: Vec<&Found> = outcome.found.iter().filter(|found| found.kind == kind).collect();
        let facts = kind.facts();
        let cells = [0, 1].map(|method| (sensitivity(&of_kind, method), delay(&of_kind, method)));
        put(
            &mut page,
            format_args!(
                "| {} | `{}` | {} | {} | {} | {} | {} |\n",
                facts.number,
                facts.name,
                of_kind.len(),
                share(cells[0].0),
                share(cells[1].0),
                months(cells[0].1),
                months(cells[1].1),
            ),
        );
        if let Some(said) = not_better(kind, &of_kind) {
            put(&mut sentences, format_args!("- `{}`: {said}\n", facts.name));
        }
    }
    put(
        &mut page,
        format_args!(
            "\n`duplicate_batch`, `reordered_batch` and `tombstone_storm` (number 25) are planted in deliveries and not in a \
         study: intake answers a repeated delivery with its first receipt, does not depend on the order of rows, and what \
         vanished is told by the counts of a receipt. No statistic is asked to find them.\n\n\
         ## Where ours is not better\n\n{}",
            if sentences.is_empty() { "Nowhere in these studies.\n" } else { &sentences },
        ),
    );
    page
}

fn head(size: &Size, outcome: &Outcome) -> String {
    let alarms = |method: usize| {
        let all: usize = outcome.false_alarms.iter().map(|by| by[method]).sum();
        let with = outcome.false_alarms.iter().filter(|by| by[method] > 0).count();
        (all as f64 / outcome.false_alarms.len().max(1) as f64, with)
    };
    let ((reference, with_reference), (ours, with_ours)) = (alarms(0), alarms(1));
    format!(
        "# What is found\n\n\
         Written by `cairn marts detection --studies {studies} --sites {sites} --subjects-per-site {subjects} --cuts {cuts} \
         --seed {seed}`. Studies are simulated ([simulator.md](simulator.md)) and go through intake, star and marts like any \
         other. Every kind of anomaly of its usual size is planted {studies} times, at the sites of rank 2 to 7 by \
         size, up to six kinds in one study of {sites} sites and about {subjects} screened subjects each; {nulls} null \
         studies have none.\n\n\
         - **Reference**: twelve indicators by the normal approximation with plain thresholds, as `mart_indicator` has them; a \
         red flag (2 or -2) at the planted site finds.\n\
         - **Ours**: the same indicators with each site left out of what it is compared with, and the site tests; an adjusted \
         probability below {LIMIT} at the planted site finds (Benjamini and Hochberg).\n\n\
         A site is found by whatever flags it, whether or not it names the cause. A shift of a country is looked for among \
         the countries, and what concerns the whole study at any site. Delay is the mean time from the first month end at \
         which a perfect detector could see the anomaly to the first extract in which the method does, where it does; extracts \
         are {STEP_MONTHS} months apart. With {studies} studies a sensitivity has a standard error of up to {error:.0} percentage \
         points.\n\n\
         ## False alarms\n\n\
         | | reference | ours |\n|---|---|---|\n\
         | sites flagged per null study, of {sites} | {reference:.2} | {ours:.2} |\n\
         | null studies with any site flagged, of {nulls} | {with_reference} | {with_ours} |\n\n\
         ## Anomalies\n\n\
         | no. | anomaly | planted | found: reference | found: ours | delay: reference | delay: ours |\n\
         |---|---|---|---|---|---|---|\n",
        studies = size.studies,
        sites = size.sites,
        subjects = size.subjects_per_site,
        cuts = size.cuts,
        seed = size.seed.0,
        nulls = outcome.false_alarms.len(),
        error = 50.0 / f64::from(size.studies).sqrt(),
    )
}

fn sensitivity(found: &[&Found], method: usize) -> Option<f64> {
    let hits = found.iter().filter(|found| found.found[method]).count();
    (!found.is_empty()).then(|| hits as f64 / found.len() as f64)
}

fn delay(found: &[&Found], method: usize) -> Option<f64> {
    let known: Vec<f64> = found.iter().filter_map(|found| found.delay_months[method]).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share))
}

fn months(months: Option<f64>) -> String {
    months.map_or_else(|| "–".to_owned(), |months| format!("{months:.1} months"))
}

/// Why ours is not better at a kind; none where it is.
fn not_better(kind: AnomalyKind, found: &[&Found]) -> Option<String> {
    let (reference, ours) = (sensitivity(found, 0)?, sensitivity(found, 1)?);
    if ours > reference {
        return None;
    }
    let both = match (ours, reference) {
        (ours, reference) if ours < reference => {
            format!("ours finds {} and the reference {}", share(Some(ours)), share(Some(reference)))
        }
        (ours, _) if ours >= 1.0 => "both find every one".to_owned(),
        (ours, _) if ours <= 0.0 => "neither finds any".to_owned(),
        (ours, _) => format!("both find {}", share(Some(ours))),
    };
    Some(format!("{both}. {}", reason(kind)))
}

/// What a kind does, as far as it decides who finds it.
fn reason(kind: AnomalyKind) -> &'static str {
    use AnomalyKind as K;
    match kind {
        K::InformativeDropout => {
            "It depends on the arm and on the true illness, concerns every site, and no comparison of sites can show it."
        }
        K::SiteTransfer => "A transfer is no fault of a site's data; facts stay with the site of their day.",
        K::LateConsent => {
            "It stands in the order of two dates of a subject; the data-quality rules name each subject."
        }
        K::SaeLateEntry => {
            "It concerns the few serious events of one site; the pages behind them enter no indicator of their own."
        }
        K::TimezoneError => {
            "Dates of samples move by a day; the rule on the order of dates names the records."
        }
        K::MnarMissingness => "High values are left out; a site's share of missing values rises little.",
        K::CountryShift => "Few countries are compared, and a country's sites differ among themselves.",
        K::EligibilityLapses | K::HiddenImportantDeviations => {
            "Deviations of one site are few, and the adjustment for many tests asks for more than a plain threshold does."
        }
        _ => {
            "A plain threshold at one indicator sees an effect of this size as well, and has no adjustment to overcome."
        }
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a text takes all");
}

#[cfg(test)]
mod tests {
    use evidence::simulate::anomaly::AnomalyKind;
    use kernel::Seed;

    use super::*;

    // By hand: of two, ours finds both and the reference one; false alarms 3 and 1 at two null studies.
    #[test]
    fn the_page_says_who_found_what_and_where_ours_is_not_better() {
        let found = |kind, found, delay| Found { kind, found, delay_months: [None, delay] };
        let outcome = Outcome {
            found: vec![
                found(AnomalyKind::DelayedEntry, [true, true], Some(1.0)),
                found(AnomalyKind::DelayedEntry, [false, true], Some(2.0)),
                found(AnomalyKind::SiteTransfer, [false, false], None),
            ],
            false_alarms: vec![[3, 0], [0, 1]],
            null_sites: 40,
        };
        let size = Size { studies: 2, sites: 20, subjects_per_site: 10.0, cuts: 2, seed: Seed(1) };
        let page = markdown(&size, &outcome);
        assert!(page.contains("| 5 | `delayed_entry` | 2 | 50 % | 100 % | – | 1.5 months |"), "{page}");
        assert!(page.contains("| sites flagged per null study, of 20 | 1.50 | 0.50 |"), "{page}");
        let (_, last) = page.split_once("## Where ours is not better").expect("the last part is there");
        assert!(
            last.contains("- `site_transfer`: neither finds any.") && !last.contains("delayed_entry"),
            "{last}"
        );
    }
}
