-- grain:  one row per indicator that a limit is about, site, and month in which subjects began
-- inputs: mart_indicator_input, dim_subject, dim_site, dim_study
-- A limit counts what its indicator counts, so that each idea is defined once (indicators/input.sql). Subjects are laid out in
-- the order in which they began, as charts of a study's course have them; whose day is not known stands before all.
WITH rows_of_limits AS (
    SELECT indicator_id, subject_sk, site_sk, numerator, denominator FROM mart_indicator_input
    WHERE indicator_id IN ('kri0004', 'kri0006', 'kri0007', 'kri0013', 'kri0014', 'e06', 'e07', 'p05', 'p08', 'p11', 's06', 's10')
),
began AS (
    SELECT subject_sk, CAST(EXTRACT(YEAR FROM day) AS INTEGER) * 100 + CAST(EXTRACT(MONTH FROM day) AS INTEGER) AS month
    FROM (SELECT subject_sk, COALESCE(randomised_date, ref_start_date, first_dose_date) AS day FROM dim_subject WHERE is_current) d
),
planned AS (
    SELECT CAST(max(planned_subjects) AS DOUBLE) AS planned FROM dim_study WHERE is_current
)
SELECT r.indicator_id, s.site_id, CAST(COALESCE(b.month, 0) AS INTEGER) AS month,
    sum(r.numerator) AS n_events,
    sum(r.denominator) AS n_units,
    CAST(sum(CASE WHEN r.numerator > 0 THEN 1 ELSE 0 END) AS DOUBLE) AS n_subjects_with,
    CAST(count(*) AS DOUBLE) AS n_subjects,
    p.planned
FROM rows_of_limits r
JOIN dim_site s ON s.site_sk = r.site_sk
LEFT JOIN began b ON b.subject_sk = r.subject_sk
CROSS JOIN planned p
GROUP BY r.indicator_id, s.site_id, b.month, p.planned
ORDER BY r.indicator_id NULLS LAST, b.month NULLS LAST, s.site_id NULLS LAST
