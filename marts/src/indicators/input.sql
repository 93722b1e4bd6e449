-- grain:  one row per indicator and subject that counts for it; of indicators about sites, per indicator and site
-- inputs: dim_study, dim_site, dim_subject, dim_visit, fact_ae, fact_deviation, fact_disposition, fact_query, fact_form, fact_visit, mart_subject_results
-- A subject counts once, at the site of now, whatever versions of it the facts point to. Every fact is read once.
-- Some sources give the day of enrolment as that of consent; only a day before the subject began is judged (p11).
-- An indicator of which no source of the study tells anything has no rows: nothing is not zero.
WITH study AS (
    SELECT max(cut_off_date) AS cut_off_date FROM dim_study WHERE is_current
),
current_subjects AS (
    SELECT subject_sk, subject_dk, site_sk, site_dk, is_screened, is_enrolled, is_screen_failure, has_died, death_date,
        consent_date, n_criteria_broken, COALESCE(randomised_date, ref_start_date, first_dose_date) AS began_date,
        CAST(COALESCE(days_on_study, 0) AS DOUBLE) AS days_on_study
    FROM dim_subject WHERE is_current
),
ae AS (
    SELECT subject_dk, count(*) AS n_ae,
        sum(CASE WHEN serious THEN 1 ELSE 0 END) AS n_sae,
        sum(CASE WHEN of_special_interest THEN 1 ELSE 0 END) AS n_special,
        sum(CASE WHEN of_special_interest IS NULL THEN 0 ELSE 1 END) AS n_special_told,
        sum(CASE WHEN reporting_lag_days IS NULL THEN 0 ELSE 1 END) AS n_lags,
        sum(CASE WHEN reporting_lag_days > 10 THEN 1 ELSE 0 END) AS n_late,
        sum(CASE WHEN serious AND reporting_lag_days IS NOT NULL THEN 1 ELSE 0 END) AS n_sae_lags,
        sum(CASE WHEN serious AND reporting_lag_days > 1 THEN 1 ELSE 0 END) AS n_sae_late,
        max(CASE WHEN action_taken = 'DRUG INTERRUPTED' THEN 1 ELSE 0 END) AS interrupted,
        sum(CASE WHEN action_taken IS NULL THEN 0 ELSE 1 END) AS n_actions_told
    FROM fact_ae GROUP BY subject_dk
),
deviation_rows AS (
    SELECT subject_dk, important, upper(COALESCE(category, '') || ' ' || COALESCE(term, '')) AS words FROM fact_deviation
),
deviation AS (
    SELECT subject_dk, count(*) AS n_deviations,
        sum(CASE WHEN important THEN 1 ELSE 0 END) AS n_important,
        sum(CASE WHEN NOT important THEN 1 ELSE 0 END) AS n_not_important,
        max(CASE WHEN important AND (words LIKE '%INCLUSION%' OR words LIKE '%EXCLUSION%' OR words LIKE '%ELIGIB%') THEN 1 ELSE 0 END) AS ineligible,
        max(CASE WHEN words LIKE '%DOSE%' OR words LIKE '%DOSING%' OR words LIKE '%STUDY TREATMENT%' OR words LIKE '%STUDY DRUG%' THEN 1 ELSE 0 END) AS misdosed,
        max(CASE WHEN words LIKE '%CONSENT%' THEN 1 ELSE 0 END) AS consent_defect,
        max(CASE WHEN words LIKE '%PROHIBITED%' OR words LIKE '%DISALLOWED%' OR words LIKE '%CONCOMITANT%' THEN 1 ELSE 0 END) AS prohibited
    FROM deviation_rows GROUP BY subject_dk
),
disposition AS (
    SELECT subject_dk,
        max(CASE WHEN scope = 'STUDY' THEN 1 ELSE 0 END) AS left_study,
        max(CASE WHEN scope = 'TREATMENT' THEN 1 ELSE 0 END) AS left_treatment,
        max(CASE WHEN decoded LIKE '%WITHDR%SUBJECT%' OR decoded LIKE '%WITHDR%CONSENT%' OR decoded LIKE '%CONSENT WITHDR%' THEN 1 ELSE 0 END) AS withdrew,
        max(CASE WHEN decoded LIKE 'LOST TO FOLLOW%' THEN 1 ELSE 0 END) AS lost,
        max(CASE WHEN decoded LIKE 'ADVERSE EVENT%' THEN 1 ELSE 0 END) AS left_for_ae,
        max(CASE WHEN decoded LIKE '%DEATH%' THEN 1 ELSE 0 END) AS died,
        min(CASE WHEN decoded LIKE '%DEATH%' THEN start_date END) AS died_date,
        sum(CASE WHEN decoded IN ('DISCONTINUED', 'NOT STATED') THEN 0 ELSE 1 END) AS n_reasons
    FROM fact_disposition
    WHERE category = 'DISPOSITION EVENT' AND decoded NOT IN ('COMPLETED', 'SCREEN FAILURE')
    GROUP BY subject_dk
),
query AS (
    SELECT subject_dk, count(*) AS n_queries,
        sum(CASE WHEN age_days > 30 THEN 1 ELSE 0 END) AS n_overdue,
        sum(CASE WHEN state = 'ANSWERED' THEN 1 ELSE 0 END) AS n_unclosed,
        sum(CASE WHEN type = 'SYSTEM' THEN 1 ELSE 0 END) AS n_system,
        sum(CASE WHEN days_to_answer >= 0 THEN 1 ELSE 0 END) AS n_answered,
        sum(CASE WHEN days_to_answer > 90 THEN 90 WHEN days_to_answer >= 0 THEN days_to_answer ELSE 0 END) AS answer_days
    FROM fact_query WHERE state IN ('OPEN', 'ANSWERED', 'CLOSED') GROUP BY subject_dk
),
page AS (
    SELECT f.subject_dk,
        sum(CASE WHEN f.is_inferred THEN 0 ELSE 1 END) AS n_pages,
        sum(CASE WHEN NOT f.is_inferred AND f.entry_lag_days > 10 THEN 1 ELSE 0 END) AS n_late,
        sum(CASE WHEN NOT f.is_inferred AND f.entry_lag_days > 5 THEN 1 ELSE 0 END) AS n_late_5,
        sum(CASE WHEN f.entry_lag_days >= 0 AND f.event_date > s.cut_off_date - 90 THEN 1 ELSE 0 END) AS n_recent,
        sum(CASE
            WHEN f.entry_lag_days IS NULL OR f.entry_lag_days < 0 OR f.event_date IS NULL OR f.event_date <= s.cut_off_date - 90 THEN 0
            WHEN f.entry_lag_days > 60 THEN 60 ELSE f.entry_lag_days END) AS recent_lag_days,
        sum(f.n_items) AS n_points,
        sum(f.n_items_changed) AS n_changed,
        sum(f.n_items_missing) AS n_missing,
        sum(CASE WHEN f.sdv_status IN ('REQUIRED', 'PARTIAL', 'VERIFIED') THEN 1 ELSE 0 END) AS n_to_verify,
        sum(CASE WHEN f.sdv_status IN ('REQUIRED', 'PARTIAL') AND f.event_date < s.cut_off_date - 60 THEN 1 ELSE 0 END) AS n_unverified,
        sum(CASE WHEN f.status = 'SUBMITTED' THEN 1 ELSE 0 END) AS n_submitted,
        sum(CASE WHEN f.status = 'SUBMITTED' AND f.signed_ts IS NULL THEN 1 ELSE 0 END) AS n_unsigned,
        sum(CASE WHEN f.signed_ts IS NULL THEN 0 ELSE 1 END) AS n_signed
    FROM fact_form f CROSS JOIN study s GROUP BY f.subject_dk
),
visit AS (
    SELECT v.subject_dk,
        sum(CASE WHEN v.occurred THEN 1 ELSE 0 END) AS n_visits,
        min(CASE WHEN v.occurred THEN v.start_date END) AS first_visit_date,
        sum(CASE WHEN d.is_required AND v.visit_repeat = 0 AND (v.occurred OR v.is_missed) THEN 1 ELSE 0 END) AS n_due,
        sum(CASE WHEN d.is_required AND v.visit_repeat = 0 AND v.is_missed THEN 1 ELSE 0 END) AS n_missed,
        sum(CASE WHEN v.window_status IN ('IN', 'EARLY', 'LATE') THEN 1 ELSE 0 END) AS n_windows,
        sum(CASE WHEN v.window_status IN ('EARLY', 'LATE') THEN 1 ELSE 0 END) AS n_outside
    FROM fact_visit v JOIN dim_visit d ON d.visit_sk = v.visit_sk GROUP BY v.subject_dk
),
subjects AS (
    SELECT e.*, ae.n_ae, ae.n_sae, ae.n_special, ae.n_lags, ae.n_late AS n_ae_late, ae.n_sae_lags, ae.n_sae_late, ae.interrupted,
        dv.n_deviations, dv.n_important, dv.n_not_important, dv.ineligible, dv.misdosed, dv.consent_defect, dv.prohibited,
        r.n_grade_3_4, r.n_graded, r.n_assessments, r.n_empty, r.n_samples_due, r.n_samples,
        ds.left_study, ds.left_treatment, ds.withdrew, ds.lost, ds.left_for_ae,
        CASE WHEN e.has_died OR ds.died = 1 THEN COALESCE(e.death_date, ds.died_date) END AS died_date,
        q.n_queries, q.n_overdue, q.n_unclosed, q.n_system, q.n_answered, q.answer_days,
        p.n_pages, p.n_late, p.n_late_5, p.n_recent, p.recent_lag_days, p.n_points, p.n_changed, p.n_missing,
        p.n_to_verify, p.n_unverified, p.n_submitted, p.n_unsigned,
        v.n_visits, v.first_visit_date, v.n_due, v.n_missed, v.n_windows, v.n_outside
    FROM current_subjects e
    LEFT JOIN ae ON ae.subject_dk = e.subject_dk
    LEFT JOIN deviation dv ON dv.subject_dk = e.subject_dk
    LEFT JOIN mart_subject_results r ON r.subject_dk = e.subject_dk
    LEFT JOIN disposition ds ON ds.subject_dk = e.subject_dk
    LEFT JOIN query q ON q.subject_dk = e.subject_dk
    LEFT JOIN page p ON p.subject_dk = e.subject_dk
    LEFT JOIN visit v ON v.subject_dk = e.subject_dk
    WHERE e.is_enrolled
),
-- What the study's sources tell anything about.
told AS (
    SELECT
        (SELECT count(*) FROM fact_ae) AS ae_rows,
        (SELECT sum(n_special_told) FROM ae) AS special_rows,
        (SELECT sum(n_actions_told) FROM ae) AS action_rows,
        (SELECT count(*) FROM fact_deviation) AS deviation_rows,
        (SELECT max(ineligible) FROM deviation) AS eligibility_rows,
        (SELECT count(n_criteria_broken) FROM current_subjects) AS criterion_rows,
        (SELECT max(misdosed) FROM deviation) AS dosing_rows,
        (SELECT max(consent_defect) FROM deviation) AS consent_rows,
        (SELECT count(consent_date) FROM current_subjects WHERE consent_date < began_date) AS consent_dates,
        (SELECT max(prohibited) FROM deviation) AS medication_rows,
        (SELECT count(*) FROM fact_disposition WHERE scope = 'STUDY' AND category = 'DISPOSITION EVENT') AS study_rows,
        (SELECT count(*) FROM fact_disposition WHERE scope = 'TREATMENT') AS treatment_rows,
        (SELECT sum(n_reasons) FROM disposition) AS reason_rows,
        (SELECT max(CASE WHEN has_died THEN 1 ELSE 0 END) FROM current_subjects) AS death_rows,
        (SELECT count(*) FROM fact_query) AS query_rows,
        (SELECT sum(n_missing) FROM page) AS missing_rows,
        (SELECT sum(n_to_verify) FROM page) AS verify_rows,
        (SELECT sum(n_signed) FROM page) AS signed_rows
),
site_enrolment AS (
    SELECT s.site_sk, s.status, s.activation_date, s.target_enrolment, COALESCE(sum(CASE WHEN e.is_enrolled THEN 1 ELSE 0 END), 0) AS n_enrolled
    FROM dim_site s LEFT JOIN current_subjects e ON e.site_dk = s.site_dk
    WHERE s.is_current
    GROUP BY s.site_sk, s.status, s.activation_date, s.target_enrolment
),
contributions AS (
    SELECT 'kri0001' AS indicator_id, subject_sk, site_sk, n_ae AS numerator, days_on_study AS denominator
    FROM subjects, told WHERE ae_rows > 0
    UNION ALL
    SELECT 'kri0002', subject_sk, site_sk, n_sae, days_on_study FROM subjects, told WHERE ae_rows > 0
    UNION ALL
    SELECT 'kri0003', subject_sk, site_sk, n_not_important, days_on_study FROM subjects, told WHERE deviation_rows > 0
    UNION ALL
    SELECT 'kri0004', subject_sk, site_sk, n_important, days_on_study FROM subjects, told WHERE deviation_rows > 0
    UNION ALL
    SELECT 'kri0005', subject_sk, site_sk, n_grade_3_4, CAST(n_graded AS DOUBLE) FROM subjects WHERE n_graded > 0
    UNION ALL
    SELECT 'kri0006', subject_sk, site_sk, left_study, CAST(1 AS DOUBLE) FROM subjects, told WHERE study_rows > 0
    UNION ALL
    SELECT 'kri0007', subject_sk, site_sk, left_treatment, CAST(1 AS DOUBLE) FROM subjects, told WHERE treatment_rows > 0
    UNION ALL
    SELECT 'kri0008', subject_sk, site_sk, n_queries, CAST(COALESCE(n_points, 0) AS DOUBLE)
    FROM subjects, told WHERE query_rows > 0 AND (n_points > 0 OR n_queries > 0)
    UNION ALL
    SELECT 'kri0009', subject_sk, site_sk, n_overdue, CAST(n_queries AS DOUBLE) FROM subjects WHERE n_queries > 0
    UNION ALL
    SELECT 'kri0010', subject_sk, site_sk, n_late, CAST(n_pages AS DOUBLE) FROM subjects WHERE n_pages > 0
    UNION ALL
    SELECT 'kri0011', subject_sk, site_sk, n_changed, CAST(n_points AS DOUBLE) FROM subjects WHERE n_points > 0
    UNION ALL
    SELECT 'kri0012', subject_sk, site_sk, CASE WHEN is_screen_failure THEN 1 ELSE 0 END, CAST(1 AS DOUBLE)
    FROM current_subjects WHERE is_screened
    UNION ALL
    SELECT 'kri0013', subject_sk, site_sk, n_samples, CAST(n_samples_due AS DOUBLE) FROM subjects WHERE n_samples_due > 0
    UNION ALL
    SELECT 'kri0014', subject_sk, site_sk, CASE WHEN ineligible = 1 OR n_criteria_broken > 0 THEN 1 ELSE 0 END, CAST(1 AS DOUBLE)
    FROM subjects, told WHERE eligibility_rows > 0 OR criterion_rows > 0
    UNION ALL
    SELECT 'kri0015', subject_sk, site_sk, CASE WHEN died_date <= began_date + 90 THEN 1 ELSE 0 END, CAST(1 AS DOUBLE)
    FROM subjects, told WHERE death_rows > 0 OR reason_rows > 0
    UNION ALL
    SELECT 's03', subject_sk, site_sk, n_sae, CAST(n_ae AS DOUBLE) FROM subjects WHERE n_ae > 0
    UNION ALL
    SELECT 's05', subject_sk, site_sk, n_ae_late, CAST(n_lags AS DOUBLE) FROM subjects WHERE n_lags > 0
    UNION ALL
    SELECT 's06', subject_sk, site_sk, n_sae_late, CAST(n_sae_lags AS DOUBLE) FROM subjects WHERE n_sae_lags > 0
    UNION ALL
    SELECT 's09', subject_sk, site_sk, CASE WHEN n_ae > 0 THEN 0 ELSE 1 END, CAST(1 AS DOUBLE) FROM subjects, told WHERE ae_rows > 0
    UNION ALL
    SELECT 's10', subject_sk, site_sk, n_special, days_on_study FROM subjects, told WHERE special_rows > 0
    UNION ALL
    SELECT 'd01', subject_sk, site_sk, n_queries, CAST(COALESCE(n_pages, 0) AS DOUBLE)
    FROM subjects, told WHERE query_rows > 0 AND (n_pages > 0 OR n_queries > 0)
    UNION ALL
    SELECT 'd03', subject_sk, site_sk, answer_days, CAST(n_answered AS DOUBLE) FROM subjects WHERE n_answered > 0
    UNION ALL
    SELECT 'd04', subject_sk, site_sk, n_unclosed, CAST(n_queries AS DOUBLE) FROM subjects WHERE n_queries > 0
    UNION ALL
    SELECT 'd05', subject_sk, site_sk, n_late_5, CAST(n_pages AS DOUBLE) FROM subjects WHERE n_pages > 0
    UNION ALL
    SELECT 'd06', subject_sk, site_sk, recent_lag_days, CAST(n_recent AS DOUBLE) FROM subjects WHERE n_recent > 0
    UNION ALL
    SELECT 'd08', subject_sk, site_sk, n_missing, CAST(n_points AS DOUBLE) FROM subjects, told WHERE missing_rows > 0 AND n_points > 0
    UNION ALL
    SELECT 'd10', subject_sk, site_sk, n_unverified, CAST(n_to_verify AS DOUBLE) FROM subjects, told WHERE verify_rows > 0 AND n_to_verify > 0
    UNION ALL
    SELECT 'd11', subject_sk, site_sk, n_unsigned, CAST(n_submitted AS DOUBLE) FROM subjects, told WHERE signed_rows > 0 AND n_submitted > 0
    UNION ALL
    SELECT 'd12', subject_sk, site_sk, n_system, CAST(n_queries AS DOUBLE) FROM subjects WHERE n_queries > 0
    UNION ALL
    SELECT 'p03', subject_sk, site_sk, n_deviations, CAST(n_visits AS DOUBLE) FROM subjects, told WHERE deviation_rows > 0 AND n_visits > 0
    UNION ALL
    SELECT 'p05', subject_sk, site_sk, n_missed, CAST(n_due AS DOUBLE) FROM subjects WHERE n_due > 0
    UNION ALL
    SELECT 'p06', subject_sk, site_sk, n_outside, CAST(n_windows AS DOUBLE) FROM subjects WHERE n_windows > 0
    UNION ALL
    SELECT 'p07', subject_sk, site_sk, n_empty, CAST(n_assessments AS DOUBLE) FROM subjects WHERE n_assessments > 0
    UNION ALL
    SELECT 'p08', subject_sk, site_sk, misdosed, CAST(1 AS DOUBLE) FROM subjects, told WHERE dosing_rows > 0
    UNION ALL
    SELECT 'p11', subject_sk, site_sk, CASE WHEN consent_defect = 1 OR (consent_date > first_visit_date AND consent_date < began_date) THEN 1 ELSE 0 END, CAST(1 AS DOUBLE)
    FROM subjects, told WHERE consent_rows > 0 OR consent_dates > 0
    UNION ALL
    SELECT 'p12', subject_sk, site_sk, prohibited, CAST(1 AS DOUBLE) FROM subjects, told WHERE medication_rows > 0
    UNION ALL
    SELECT 'e05', subject_sk, site_sk, interrupted, CAST(1 AS DOUBLE) FROM subjects, told WHERE action_rows > 0
    UNION ALL
    SELECT 'e06', subject_sk, site_sk, withdrew, CAST(1 AS DOUBLE) FROM subjects, told WHERE reason_rows > 0
    UNION ALL
    SELECT 'e07', subject_sk, site_sk, lost, CAST(1 AS DOUBLE) FROM subjects, told WHERE reason_rows > 0
    UNION ALL
    SELECT 'e09', subject_sk, site_sk, left_for_ae, CAST(1 AS DOUBLE) FROM subjects, told WHERE reason_rows > 0
    UNION ALL
    -- -2 stands for no subject: these are about sites.
    SELECT 'e02', -2, site_sk, n_enrolled, CAST(target_enrolment AS DOUBLE) FROM site_enrolment WHERE target_enrolment > 0
    UNION ALL
    SELECT 'e08', -2, site_sk, CASE WHEN n_enrolled = 0 THEN 1 ELSE 0 END, CAST(1 AS DOUBLE)
    FROM site_enrolment CROSS JOIN study WHERE status = 'ACTIVE' AND activation_date <= cut_off_date - 90
)
SELECT indicator_id, subject_sk, site_sk, CAST(COALESCE(numerator, 0) AS DOUBLE) AS numerator, denominator
FROM contributions
ORDER BY indicator_id NULLS LAST, site_sk NULLS LAST, subject_sk NULLS LAST
