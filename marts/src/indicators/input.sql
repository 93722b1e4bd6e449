-- grain:  one row per indicator and subject that counts for it
-- inputs: dim_subject, fact_ae, fact_deviation, fact_lab, fact_disposition, fact_query, fact_form
-- A subject counts once, at the site of now, whatever versions of it the facts point to.
-- An indicator whose source table is empty has no rows: the source does not hold what it needs.
WITH enrolled AS (
    SELECT subject_sk, subject_dk, site_sk, CAST(COALESCE(days_on_study, 0) AS DOUBLE) AS days_on_study
    FROM dim_subject WHERE is_current AND is_enrolled
),
ae AS (
    SELECT subject_dk, count(*) AS n_ae, sum(CASE WHEN serious THEN 1 ELSE 0 END) AS n_sae
    FROM fact_ae GROUP BY subject_dk
),
deviation AS (
    SELECT subject_dk,
        sum(CASE WHEN important THEN 1 ELSE 0 END) AS n_important,
        sum(CASE WHEN NOT important THEN 1 ELSE 0 END) AS n_not_important
    FROM fact_deviation GROUP BY subject_dk
),
lab AS (
    SELECT subject_dk,
        sum(CASE WHEN toxicity_grade IN (3, 4) THEN 1 ELSE 0 END) AS n_grade_3_4,
        count(*) AS n_graded
    FROM fact_lab WHERE toxicity_grade BETWEEN 0 AND 4 GROUP BY subject_dk
),
disposition AS (
    SELECT subject_dk,
        max(CASE WHEN scope = 'STUDY' THEN 1 ELSE 0 END) AS n_study,
        max(CASE WHEN scope = 'TREATMENT' THEN 1 ELSE 0 END) AS n_treatment
    FROM fact_disposition
    WHERE category = 'DISPOSITION EVENT' AND decoded NOT IN ('COMPLETED', 'SCREEN FAILURE')
    GROUP BY subject_dk
),
query AS (
    SELECT subject_dk, count(*) AS n_queries, sum(CASE WHEN age_days > 30 THEN 1 ELSE 0 END) AS n_overdue
    FROM fact_query WHERE state IN ('OPEN', 'ANSWERED', 'CLOSED') GROUP BY subject_dk
),
page AS (
    SELECT subject_dk,
        sum(CASE WHEN is_inferred THEN 0 ELSE 1 END) AS n_pages,
        sum(CASE WHEN NOT is_inferred AND entry_lag_days > 10 THEN 1 ELSE 0 END) AS n_late,
        sum(n_items) AS n_points,
        sum(n_items_changed) AS n_changed
    FROM fact_form GROUP BY subject_dk
),
subjects AS (
    SELECT e.subject_sk, e.site_sk, e.days_on_study,
        ae.n_ae, ae.n_sae, dv.n_important, dv.n_not_important, lb.n_grade_3_4, lb.n_graded,
        ds.n_study, ds.n_treatment, q.n_queries, q.n_overdue, p.n_pages, p.n_late, p.n_points, p.n_changed
    FROM enrolled e
    LEFT JOIN ae ON ae.subject_dk = e.subject_dk
    LEFT JOIN deviation dv ON dv.subject_dk = e.subject_dk
    LEFT JOIN lab lb ON lb.subject_dk = e.subject_dk
    LEFT JOIN disposition ds ON ds.subject_dk = e.subject_dk
    LEFT JOIN query q ON q.subject_dk = e.subject_dk
    LEFT JOIN page p ON p.subject_dk = e.subject_dk
),
available AS (
    SELECT
        (SELECT count(*) FROM fact_ae) AS n_ae_rows,
        (SELECT count(*) FROM fact_deviation) AS n_deviation_rows,
        (SELECT count(*) FROM fact_disposition WHERE scope = 'STUDY' AND category = 'DISPOSITION EVENT') AS n_study_rows,
        (SELECT count(*) FROM fact_disposition WHERE scope = 'TREATMENT') AS n_treatment_rows,
        (SELECT count(*) FROM fact_query) AS n_query_rows
),
contributions AS (
    SELECT 'kri0001' AS indicator_id, subject_sk, site_sk, n_ae AS numerator, days_on_study AS denominator
    FROM subjects, available WHERE n_ae_rows > 0
    UNION ALL
    SELECT 'kri0002', subject_sk, site_sk, n_sae, days_on_study FROM subjects, available WHERE n_ae_rows > 0
    UNION ALL
    SELECT 'kri0003', subject_sk, site_sk, n_not_important, days_on_study
    FROM subjects, available WHERE n_deviation_rows > 0
    UNION ALL
    SELECT 'kri0004', subject_sk, site_sk, n_important, days_on_study
    FROM subjects, available WHERE n_deviation_rows > 0
    UNION ALL
    SELECT 'kri0005', subject_sk, site_sk, n_grade_3_4, CAST(n_graded AS DOUBLE) FROM subjects WHERE n_graded > 0
    UNION ALL
    SELECT 'kri0006', subject_sk, site_sk, n_study, CAST(1 AS DOUBLE) FROM subjects, available WHERE n_study_rows > 0
    UNION ALL
    SELECT 'kri0007', subject_sk, site_sk, n_treatment, CAST(1 AS DOUBLE)
    FROM subjects, available WHERE n_treatment_rows > 0
    UNION ALL
    SELECT 'kri0008', subject_sk, site_sk, n_queries, CAST(COALESCE(n_points, 0) AS DOUBLE)
    FROM subjects, available WHERE n_query_rows > 0 AND (n_points > 0 OR n_queries > 0)
    UNION ALL
    SELECT 'kri0009', subject_sk, site_sk, n_overdue, CAST(n_queries AS DOUBLE) FROM subjects WHERE n_queries > 0
    UNION ALL
    SELECT 'kri0010', subject_sk, site_sk, n_late, CAST(n_pages AS DOUBLE) FROM subjects WHERE n_pages > 0
    UNION ALL
    SELECT 'kri0011', subject_sk, site_sk, n_changed, CAST(n_points AS DOUBLE) FROM subjects WHERE n_points > 0
    UNION ALL
    SELECT 'kri0012', subject_sk, site_sk, CASE WHEN is_screen_failure THEN 1 ELSE 0 END, CAST(1 AS DOUBLE)
    FROM dim_subject WHERE is_current AND is_screened
)
SELECT indicator_id, subject_sk, site_sk, CAST(COALESCE(numerator, 0) AS DOUBLE) AS numerator, denominator
FROM contributions
ORDER BY indicator_id NULLS LAST, site_sk NULLS LAST, subject_sk NULLS LAST
