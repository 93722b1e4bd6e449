-- grain:  one row per subject as it is now, per site as it is now, and of the whole study: the relations `subjects`, `sites` and `told`
-- inputs: current_subjects, site, ae, deviation, disposition, query, page, visit, result
-- A subject counts once, at the site of now, whatever versions of it the facts point to. Facts count for those enrolled, and
-- tell something of the study whomever they are of.
, counted AS (
    SELECT e.*, ae.n_ae, ae.n_sae, ae.n_special, ae.n_lags, ae.n_ae_late, ae.n_sae_lags, ae.n_sae_late, ae.interrupted,
        dv.n_deviations, dv.n_important, dv.n_not_important, dv.ineligible, dv.misdosed, dv.consent_defect, dv.prohibited,
        r.n_grade_3_4, r.n_graded, r.n_assessments, r.n_empty, r.n_samples_due, r.n_samples,
        ds.left_study, ds.left_treatment, ds.withdrew, ds.lost, ds.left_for_ae, ds.died, ds.died_date,
        q.n_queries, q.n_overdue, q.n_unclosed, q.n_system, q.n_answered, q.answer_days,
        p.n_pages, p.n_late, p.n_late_5, p.n_recent, p.recent_lag_days, p.n_points, p.n_changed, p.n_missing,
        p.n_to_verify, p.n_unverified, p.n_submitted, p.n_unsigned,
        v.n_visits, v.first_visit_date, v.n_due, v.n_missed, v.n_windows, v.n_outside
    FROM (SELECT *, CASE WHEN is_enrolled = 1 THEN subject_dk END AS enrolled_dk FROM current_subjects) AS e
    LEFT JOIN ae ON ae.subject_dk = e.enrolled_dk
    LEFT JOIN deviation dv ON dv.subject_dk = e.enrolled_dk
    LEFT JOIN result r ON r.subject_dk = e.enrolled_dk
    LEFT JOIN disposition ds ON ds.subject_dk = e.enrolled_dk
    LEFT JOIN query q ON q.subject_dk = e.enrolled_dk
    LEFT JOIN page p ON p.subject_dk = e.enrolled_dk
    LEFT JOIN visit v ON v.subject_dk = e.enrolled_dk
),
subjects AS (
    SELECT *, 1 AS itself,
        CASE WHEN n_ae > 0 THEN 0 ELSE 1 END AS is_without_ae,
        CASE WHEN n_points > 0 OR n_queries > 0 THEN 1 ELSE 0 END AS has_points_or_queries,
        CASE WHEN n_pages > 0 OR n_queries > 0 THEN 1 ELSE 0 END AS has_pages_or_queries,
        CASE WHEN ineligible = 1 OR n_criteria_broken > 0 THEN 1 ELSE 0 END AS is_ineligible,
        CASE WHEN (has_died = 1 OR died = 1) AND COALESCE(death_date, died_date) <= began_date + 90 THEN 1 ELSE 0 END AS has_died_early,
        CASE WHEN consent_defect = 1 OR (consent_date > first_visit_date AND consent_date < began_date) THEN 1 ELSE 0 END AS has_consent_defect
    FROM counted
),
sites AS (
    SELECT s.site_sk, s.target_enrolment, s.is_long_active, COALESCE(n.n_enrolled, 0) AS n_enrolled,
        CASE WHEN n.n_enrolled > 0 THEN 0 ELSE 1 END AS is_empty
    FROM site s
    LEFT JOIN (SELECT site_dk, sum(is_enrolled) AS n_enrolled FROM current_subjects GROUP BY site_dk) AS n ON n.site_dk = s.site_dk
),
-- What the study's sources tell anything about.
told AS (
    SELECT
        (SELECT sum(n_ae) FROM ae) AS n_ae,
        (SELECT sum(n_special_told) FROM ae) AS n_special_told,
        (SELECT sum(n_actions_told) FROM ae) AS n_actions_told,
        (SELECT sum(n_deviations) FROM deviation) AS n_deviations,
        (SELECT sum(ineligible) FROM deviation) AS ineligible,
        (SELECT sum(misdosed) FROM deviation) AS misdosed,
        (SELECT sum(consent_defect) FROM deviation) AS consent_defect,
        (SELECT sum(prohibited) FROM deviation) AS prohibited,
        (SELECT sum(n_study_told) FROM disposition) AS n_study_told,
        (SELECT sum(n_treatment_told) FROM disposition) AS n_treatment_told,
        (SELECT sum(n_reasons) FROM disposition) AS n_reasons,
        (SELECT sum(n_queries_told) FROM query) AS n_queries_told,
        (SELECT sum(n_missing) FROM page) AS n_missing,
        (SELECT sum(n_to_verify) FROM page) AS n_to_verify,
        (SELECT sum(n_signed) FROM page) AS n_signed,
        (SELECT sum(n_criteria_told) FROM current_subjects) AS n_criteria_told,
        (SELECT sum(n_consents_told) FROM current_subjects) AS n_consents_told,
        (SELECT sum(has_died) FROM current_subjects) AS has_died,
        (SELECT count(*) FROM current_subjects) AS itself
),
contributions AS (
