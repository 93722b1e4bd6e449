use super::*;

fn judge_all(subjects: &[(usize, &[u64])], groups: usize, pool: Pool) -> Vec<InFrame> {
    let subjects: Vec<Reported<'_>> =
        subjects.iter().map(|&(group, cumulative)| Reported { group, cumulative }).collect();
    in_frame(&subjects, groups, pool).expect("the subjects are valid")
}

#[track_caller]
fn check_close(ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-14, "{ours} against {expected}");
}

#[test]
fn a_subject_is_exchanged_for_those_who_came_as_far() {
    // By hand. At visit 2 stand 0, 2 and 4 events; at visit 1 stand 0, 1, 1 and 3.
    // Group 0 reported 0 + 0: of 3 × 4 pairs only (0, 0) is as few. Its mean is 2 + 5/4.
    let subjects: [(usize, &[u64]); 5] = [(0, &[0, 0]), (1, &[1, 2]), (1, &[1, 4]), (0, &[]), (1, &[3])];
    let groups = judge_all(&[subjects[0], subjects[1], subjects[2], subjects[4]], 2, Pool::Study);
    check_close(groups[0].expected, 2.0);
    check_close(groups[0].under, 1.0 / 3.0);
    check_close(groups[0].over, 1.0);
    let with_short =
        judge_all(&[subjects[0], subjects[1], subjects[2], subjects[4], (0, &[0])], 2, Pool::Study);
    // Now 0, 0, 1, 1, 3 stand at visit 1: (0, 0) is one of 3 and two of 5.
    check_close(with_short[0].expected, 3.0);
    check_close(with_short[0].under, 2.0 / 15.0);
    assert_eq!((with_short[0].subjects, with_short[0].visits, with_short[0].observed), (2, 3, 0));
    assert!(with_short[0].score < 0.0);
}

#[test]
fn a_group_can_be_left_out_of_its_own_pool() {
    // By hand: elsewhere stand 2 and 4, so 0 is impossible; the score is the largest there is.
    let subjects: [(usize, &[u64]); 3] = [(0, &[0, 0]), (1, &[1, 2]), (1, &[1, 4])];
    let groups = judge_all(&subjects, 2, Pool::Rest);
    check_close(groups[0].expected, 3.0);
    assert_eq!((groups[0].under, groups[0].over), (0.0, 1.0));
    assert!(groups[0].score < -37.0);
    // Group 1 could only have been 0 twice.
    assert_eq!((groups[1].under, groups[1].over), (1.0, 0.0));
}

#[test]
fn a_subject_whom_nobody_matches_is_no_evidence() {
    let subjects: [(usize, &[u64]); 2] = [(0, &[0, 0, 7]), (1, &[1])];
    let group = judge_all(&subjects, 2, Pool::Rest)[0];
    assert_eq!((group.expected, group.under, group.over, group.score), (7.0, 1.0, 1.0, 0.0));
}

#[test]
fn groups_without_subjects_or_visits_or_events_are_ordinary() {
    let subjects: [(usize, &[u64]); 3] = [(0, &[]), (1, &[0, 0]), (1, &[0])];
    for group in judge_all(&subjects, 3, Pool::Study) {
        assert_eq!((group.expected, group.under, group.over, group.score), (0.0, 1.0, 1.0, 0.0));
    }
}

#[test]
fn small_probabilities_are_not_cut_at_one_over_the_resamples() {
    // By hand: 20 subjects without events, exchanged for one of two kinds, of which half report: 2^-20.
    let quiet: Vec<(usize, &[u64])> = vec![(0, &[0]); 20];
    let busy: Vec<(usize, &[u64])> = vec![(1, &[1]); 20];
    let groups = judge_all(&[quiet, busy].concat(), 2, Pool::Study);
    assert!((groups[0].under / 0.5_f64.powi(20) - 1.0).abs() < 1e-12);
}

#[test]
fn a_subject_belongs_to_a_group_that_is_there() {
    let stray = in_frame(&[Reported { group: 2, cumulative: &[1] }], 2, Pool::Study);
    assert_eq!(stray, Err(MeasureError::NoSuchGroup { member: 0, group: 2, groups: 2 }));
}

#[test]
fn counts_beyond_measure_are_refused_and_not_allocated() {
    let subjects: [(usize, &[u64]); 2] = [(0, &[0]), (1, &[u64::MAX])];
    let subjects = subjects.map(|(group, cumulative)| Reported { group, cumulative });
    assert!(matches!(in_frame(&subjects, 2, Pool::Study), Err(MeasureError::TooWide { .. })));
}
