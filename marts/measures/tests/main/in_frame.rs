//! Under- and over-reporting on the visit data that simaerep ships, against exact convolution in numpy and against
//! resampling.

use std::collections::BTreeMap;
use std::time::Instant;

use measures::{InFrame, Pool, Reported, benjamini_hochberg, in_frame};
use serde::Deserialize;

use super::oracle::{assert_close, rows};

#[derive(Deserialize)]
struct Visit {
    patnum: String,
    site_number: String,
    visit: usize,
    n_ae: u64,
    study_id: String,
}

#[derive(Deserialize)]
struct Exact {
    study: String,
    site: String,
    n_pat: u64,
    visits: u64,
    events: u64,
    expected: f64,
    delta: f64,
    p_under: f64,
    p_over: f64,
    q_under: f64,
    q_over: f64,
    prob_no_mult: f64,
    prob: f64,
}

/// The cumulative events of the subjects of one study, by site and subject.
type Study = BTreeMap<(String, String), Vec<u64>>;

fn studies() -> Option<BTreeMap<String, Study>> {
    let mut visits = rows::<Visit>("simaerep_df_visit_test.csv")?;
    assert_eq!(visits.len(), 3890);
    visits.sort_by_key(|row| row.visit);
    let mut studies: BTreeMap<String, Study> = BTreeMap::new();
    for row in visits {
        let subject =
            studies.entry(row.study_id).or_default().entry((row.site_number, row.patnum)).or_default();
        assert_eq!(subject.len() + 1, row.visit, "the visits have no gap");
        subject.push(row.n_ae);
    }
    Some(studies)
}

fn sites(study: &Study) -> Vec<&str> {
    let mut sites: Vec<&str> = study.keys().map(|(site, _)| site.as_str()).collect();
    sites.dedup();
    sites
}

fn reported(study: &Study) -> Vec<Reported<'_>> {
    let sites = sites(study);
    let place = |site: &str| sites.iter().position(|known| *known == site).expect("the site is known");
    study.iter().map(|((site, _), cumulative)| Reported { group: place(site), cumulative }).collect()
}

/// simaerep's signed probability: that of under-reporting unless over-reporting is likelier.
fn signed(under: f64, over: f64) -> f64 {
    if 1.0 - under >= 1.0 - over { under - 1.0 } else { 1.0 - over }
}

#[test]
fn the_exact_probabilities_agree() {
    let (Some(studies), Some(exact)) = (studies(), rows::<Exact>("df_visit_test_exact.csv")) else { return };
    assert_eq!(exact.len(), 10);
    for (name, study) in &studies {
        let sites = sites(study);
        let ours = in_frame(&reported(study), sites.len(), Pool::Study).expect("the subjects are valid");
        let under = benjamini_hochberg(&ours.iter().map(|site| site.under).collect::<Vec<_>>());
        let over = benjamini_hochberg(&ours.iter().map(|site| site.over).collect::<Vec<_>>());
        for (place, site) in sites.iter().enumerate() {
            let theirs = exact.iter().find(|row| row.study == *name && row.site == *site);
            let theirs = theirs.expect("the site is there");
            let InFrame { subjects, visits, observed, .. } = ours[place];
            assert_eq!((subjects, visits, observed), (theirs.n_pat, theirs.visits, theirs.events), "{site}");
            assert_close(site, ours[place].expected, theirs.expected);
            assert_close(site, observed as f64 - ours[place].expected, theirs.delta);
            assert_close(site, ours[place].under, theirs.p_under);
            assert_close(site, ours[place].over, theirs.p_over);
            assert_close(site, under[place], theirs.q_under);
            assert_close(site, over[place], theirs.q_over);
            assert_close(site, signed(ours[place].under, ours[place].over), theirs.prob_no_mult);
            assert_close(site, signed(under[place], over[place]), theirs.prob);
        }
    }
}

/// A step of SplitMix64, enough chance for a test.
fn draw(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) % below as u64).expect("the remainder is small")
}

#[test]
fn resampling_comes_to_the_same_probabilities() {
    const RESAMPLES: u32 = 20_000;
    let Some(studies) = studies() else { return };
    let study = &studies["A"];
    let subjects = reported(study);
    let ours = in_frame(&subjects, sites(study).len(), Pool::Study).expect("the subjects are valid");
    let mut state = 20_260_914;
    for (group, ours) in ours.iter().enumerate() {
        let pools: Vec<Vec<u64>> = subjects
            .iter()
            .filter(|subject| subject.group == group)
            .map(|own| {
                let last = own.cumulative.len() - 1;
                subjects.iter().filter_map(|subject| subject.cumulative.get(last).copied()).collect()
            })
            .collect();
        let mut as_few = 0_u32;
        for _ in 0..RESAMPLES {
            let sum: u64 = pools.iter().map(|pool| pool[draw(&mut state, pool.len())]).sum();
            as_few += u32::from(sum <= ours.observed);
        }
        let resampled = f64::from(as_few) / f64::from(RESAMPLES);
        // Four standard errors of the resampling at its widest.
        assert!((resampled - ours.under).abs() < 4.0 * (0.25 / f64::from(RESAMPLES)).sqrt(), "{resampled}");
    }
}

#[test]
fn eighty_sites_take_milliseconds() {
    // 80 sites of 30 subjects with up to 24 visits and some 12 events, by a fixed rule.
    let mut state = 7;
    let subjects: Vec<(usize, Vec<u64>)> = (0..2400)
        .map(|place| {
            let visits = 12 + draw(&mut state, 13);
            let mut events = 0;
            let series = (0..visits).map(|_| {
                events += u64::from(draw(&mut state, 2) == 1) * (1 + draw(&mut state, 2) as u64);
                events
            });
            (place % 80, series.collect())
        })
        .collect();
    let subjects: Vec<Reported<'_>> =
        subjects.iter().map(|(group, cumulative)| Reported { group: *group, cumulative }).collect();
    let start = Instant::now();
    let sites = in_frame(&subjects, 80, Pool::Study).expect("the subjects are valid");
    let took = start.elapsed();
    println!("80 sites, 2,400 subjects: {took:?}");
    // A loose bound: what is held is the order of growth, on a machine that has other work too.
    assert!(took.as_secs() < 2, "{took:?}");
    let low = sites.iter().filter(|site| site.under < 0.05).count();
    assert!(low < 16, "{low} of 80 sites that do not differ look low");
}
