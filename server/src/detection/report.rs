//! The page with the figures.

use std::fmt::Write as _;

use evidence::Rate;
use evidence::simulate::anomaly::AnomalyKind;

use super::calibration::LEVELS;
use super::flagged::{LIMIT, Verdict};
use super::plan::{STEP_MONTHS, Size, kinds};
use super::{Found, Outcome};

mod reason;

use reason::{limits, reason};

/// The page in Markdown.
pub(crate) fn markdown(size: &Size, outcome: &Outcome) -> String {
    let alike = Alike::of(outcome);
    let mut page = head(size);
    false_alarms(&mut page, size, outcome);
    let mut sentences = String::new();
    anomalies(&mut page, &mut sentences, outcome, alike);
    put(
        &mut page,
        format_args!(
            "\n`duplicate_batch`, `reordered_batch` and `tombstone_storm` (number 25) are planted in deliveries and not in a \
             study: intake answers a repeated delivery with its first receipt, does not depend on the order of rows, and what \
             vanished is told by the counts of a receipt. No statistic is asked to find them.\n\n\
             ## Where ours is not better\n\n\
             Better means: finds more than the reference does when both raise as many false alarms.\n\n{}",
            if sentences.is_empty() { "Nowhere in these studies.\n" } else { &sentences },
        ),
    );
    calibration(&mut page, outcome);
    page
}

/// The scores above which the reference flags no more sites, and countries, of null studies than ours does.
#[derive(Debug, Clone, Copy)]
struct Alike {
    sites: f64,
    countries: f64,
}

impl Alike {
    fn of(outcome: &Outcome) -> Self {
        Self { sites: score_alike(&outcome.null_sites), countries: score_alike(&outcome.null_countries) }
    }

    fn flags(self, found: &Found) -> bool {
        let limit = if found.kind == AnomalyKind::CountryShift { self.countries } else { self.sites };
        found.verdict.score > limit
    }
}

fn score_alike(studies: &[Vec<Verdict>]) -> f64 {
    let all: Vec<&Verdict> = studies.iter().flatten().collect();
    let ours = all.iter().filter(|verdict| verdict.by()[1]).count();
    let mut scores: Vec<f64> = all.iter().map(|verdict| verdict.score).collect();
    scores.sort_by(|left, right| right.total_cmp(left));
    scores.get(ours).copied().unwrap_or_default()
}

fn head(size: &Size) -> String {
    format!(
        "# What is found\n\n\
         Written by `cairn marts detection --studies {studies} --null-studies {nulls} --sites {sites} --subjects-per-site \
         {subjects} --cuts {cuts} --seed {seed} --out docs/detection.md`; the same command gives the same page. Studies are \
         simulated ([simulator.md](simulator.md)) and go through intake, star and marts like any other. Every kind of \
         anomaly is planted {studies} times in its usual size, at the sites of rank 2 to 7 by size, six kinds in one study \
         of {sites} sites and about {subjects} screened subjects each; {nulls} null studies have none.\n\n\
         - **Reference**: the twelve indicators that the reference judges by the normal approximation (`kri0001` to \
         `kri0012`) with its thresholds; a red flag (2 or -2) finds.\n\
         - **Ours**: every indicator with each site left out of what it is compared with, events by visit against subjects \
         who were followed as long, and the site tests; a probability below {LIMIT} after adjustment (Benjamini and \
         Hochberg) finds. See [clinical-marts.md](clinical-marts.md).\n\
         - **Reference, as many false alarms**: the same twelve scores with one limit for all, set so that as many sites of \
         the null studies are flagged as by ours.\n\n\
         A site is found by whatever flags it, whether or not it names the cause. A shift of a country is looked for among \
         the countries. Delay is the mean time from the first extract in which a perfect detector could see the anomaly \
         (power 0.8) to the first in which the method does, over those that it finds; extracts are {STEP_MONTHS} months \
         apart. In brackets stand Wilson's limits at 95 %.\n\n",
        studies = size.studies,
        nulls = size.nulls,
        sites = size.sites,
        subjects = size.subjects_per_site,
        cuts = size.cuts,
        seed = size.seed.0,
    )
}

fn false_alarms(page: &mut String, size: &Size, outcome: &Outcome) {
    let per_study = |studies: &[Vec<Verdict>], method: usize| {
        let flagged = studies.iter().flatten().filter(|verdict| verdict.by()[method]).count();
        flagged as f64 / studies.len().max(1) as f64
    };
    let any = |method: usize| {
        let has = |study: &Vec<Verdict>| study.iter().any(|verdict| verdict.by()[method]);
        share(&Rate::of(outcome.null_sites.iter().map(has)))
    };
    let (sites, countries) = (&outcome.null_sites, &outcome.null_countries);
    put(
        page,
        format_args!(
            "## False alarms\n\n\
             | | reference | ours |\n|---|---|---|\n\
             | sites flagged per null study, of {} | {:.2} | {:.2} |\n\
             | null studies with any site flagged, of {} | {} | {} |\n\
             | countries flagged per null study | {:.2} | {:.2} |\n\n",
            size.sites,
            per_study(sites, 0),
            per_study(sites, 1),
            sites.len(),
            any(0),
            any(1),
            per_study(countries, 0),
            per_study(countries, 1),
        ),
    );
}

fn anomalies(page: &mut String, sentences: &mut String, outcome: &Outcome, alike: Alike) {
    put(
        page,
        format_args!(
            "## Anomalies\n\n\
             | no. | anomaly | planted | reference | ours | reference, as many false alarms | delay: reference | delay: ours |\n\
             |---|---|---|---|---|---|---|---|\n"
        ),
    );
    for kind in kinds() {
        let of_kind: Vec<&Found> = outcome.found.iter().filter(|found| found.kind == kind).collect();
        let facts = kind.facts();
        let by = |method: usize| Rate::of(of_kind.iter().map(|found| found.verdict.by()[method]));
        let (reference, ours) = (by(0), by(1));
        let held = Rate::of(of_kind.iter().map(|found| alike.flags(found)));
        put(
            page,
            format_args!(
                "| {} | `{}` | {} | {} | {} | {} | {} | {} |\n",
                facts.number,
                facts.name,
                of_kind.len(),
                share(&reference),
                share(&ours),
                share(&held),
                months(&of_kind, 0),
                months(&of_kind, 1),
            ),
        );
        if let Some(said) = not_better(kind, &ours, &held) {
            put(sentences, format_args!("- `{}`: {said}\n", facts.name));
        }
    }
    let limited: Vec<String> = kinds().filter_map(limits).collect();
    if !limited.is_empty() {
        put(page, format_args!("\n{}\n", limited.join(" ")));
    }
}

fn calibration(page: &mut String, outcome: &Outcome) {
    put(
        page,
        format_args!(
            "\n## Site tests where nothing is planted\n\n\
             The share of tests of the null studies below each level, in percent. *Alike* is the law by which sites differ only \
             by their subjects; *beside the others* takes off what the other sites differ among themselves, and is what counts.\n\n\
             | test | tests |{}{}\n|---|---|---|---|---|---|---|---|\n",
            LEVELS.map(|level| format!(" alike, {level} |")).concat(),
            LEVELS.map(|level| format!(" beside the others, {level} |")).concat(),
        ),
    );
    for ((id, method), counts) in &outcome.calibration.0 {
        let cells = |below: [u64; 3]| {
            below.map(|hits| format!(" {:.2} |", 100.0 * hits as f64 / counts.tests.max(1) as f64)).concat()
        };
        put(
            page,
            format_args!(
                "| {id} `{method}` | {} |{}{}\n",
                counts.tests,
                cells(counts.below_alike),
                cells(counts.below)
            ),
        );
    }
}

/// A share with its limits, in whole percent.
fn share(rate: &Rate) -> String {
    rate.interval().map_or_else(
        || "–".to_owned(),
        |(share, low, high)| format!("{:.0} % ({:.0}–{:.0})", 100.0 * share, 100.0 * low, 100.0 * high),
    )
}

fn months(found: &[&Found], method: usize) -> String {
    let known: Vec<f64> = found.iter().filter_map(|found| found.delay_months[method]).collect();
    if known.is_empty() {
        return "–".to_owned();
    }
    format!("{:.1} months", known.iter().sum::<f64>() / known.len() as f64)
}

/// Why ours is not better at a kind; none where it is.
fn not_better(kind: AnomalyKind, ours: &Rate, held: &Rate) -> Option<String> {
    if ours.hits > held.hits || ours.all == 0 {
        return None;
    }
    let both = match (ours.hits, held.hits) {
        (ours_hits, held_hits) if ours_hits < held_hits => {
            format!("ours finds {ours_hits} and the reference {held_hits} of {}", ours.all)
        }
        (0, _) => "neither finds any".to_owned(),
        (hits, _) if hits == ours.all => return Some("both find every one.".to_owned()),
        (hits, _) => format!("both find {hits} of {}", ours.all),
    };
    Some(format!("{both}. {}", reason(kind)))
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a text takes all");
}

#[cfg(test)]
mod tests;
