-- grain:  one row per body system and preferred term among the adverse events of enrolled subjects
-- inputs: dim_subject, fact_ae
-- Terms that are not coded stand under their own words. Rates are per 100 patient-years on study.
WITH enrolled AS (
    SELECT subject_dk, CAST(COALESCE(days_on_study, 0) AS DOUBLE) AS days FROM dim_subject WHERE is_current AND is_enrolled
),
exposure AS (
    SELECT count(*) AS n_enrolled, sum(days) AS days FROM enrolled
),
events AS (
    SELECT COALESCE(ae.soc, 'NOT CODED') AS soc, COALESCE(ae.pt, ae.term, 'NOT NAMED') AS pt,
        ae.subject_dk, ae.serious, ae.is_related, ae.ctcae_grade, ae.emergent
    FROM fact_ae ae JOIN enrolled e ON e.subject_dk = ae.subject_dk
),
counted AS (
    SELECT soc, pt,
        count(*) AS n_events,
        count(DISTINCT subject_dk) AS n_subjects,
        CAST(sum(CASE WHEN serious THEN 1 ELSE 0 END) AS BIGINT) AS n_serious,
        CAST(sum(CASE WHEN is_related THEN 1 ELSE 0 END) AS BIGINT) AS n_related,
        CAST(sum(CASE WHEN ctcae_grade >= 3 THEN 1 ELSE 0 END) AS BIGINT) AS n_grade_3_and_higher,
        CAST(sum(CASE WHEN emergent = 'TRUE' THEN 1 ELSE 0 END) AS BIGINT) AS n_emergent
    FROM events GROUP BY soc, pt
)
SELECT c.soc, c.pt, c.n_events, c.n_subjects, c.n_serious, c.n_related, c.n_grade_3_and_higher, c.n_emergent,
    x.n_enrolled,
    CAST(c.n_subjects AS DOUBLE) / CAST(x.n_enrolled AS DOUBLE) AS share_of_subjects,
    x.days AS exposure_days,
    CASE WHEN x.days > 0 THEN CAST(c.n_events AS DOUBLE) * 36525.0 / CAST(x.days AS DOUBLE) END
        AS events_per_100_patient_years
FROM counted c CROSS JOIN exposure x
ORDER BY c.n_subjects DESC NULLS LAST, c.soc NULLS LAST, c.pt NULLS LAST
