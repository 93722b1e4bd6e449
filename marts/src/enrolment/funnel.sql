-- grain:  one row per unit (sites, subjects) and stage
-- inputs: dim_study, dim_site, dim_subject, fact_disposition
WITH sites AS (
    SELECT s.site_dk, s.activation_date, s.closeout_date, y.cut_off_date, y.planned_sites
    FROM dim_site s CROSS JOIN (SELECT cut_off_date, planned_sites FROM dim_study WHERE is_current) AS y
    WHERE s.is_current
),
subjects AS (
    SELECT site_dk, subject_dk, is_enrolled, is_screen_failure, first_dose_date
    FROM dim_subject WHERE is_current AND is_screened
),
by_site AS (
    SELECT site_dk, count(*) AS n_screened, sum(CASE WHEN is_enrolled THEN 1 ELSE 0 END) AS n_enrolled
    FROM subjects GROUP BY site_dk
),
ends AS (
    SELECT subject_dk, max(CASE WHEN COALESCE(decoded, '') = 'COMPLETED' THEN 1 ELSE 0 END) AS completed
    FROM fact_disposition
    WHERE category = 'DISPOSITION EVENT' AND scope = 'STUDY' AND COALESCE(decoded, '') <> 'SCREEN FAILURE'
    GROUP BY subject_dk
),
stages AS (
    SELECT 'sites' AS unit, 1 AS stage_order, 'planned' AS stage, max(planned_sites) AS n FROM sites
    UNION ALL SELECT 'sites', 2, 'known', count(*) FROM sites
    UNION ALL SELECT 'sites', 3, 'activated', sum(CASE WHEN activation_date <= cut_off_date THEN 1 ELSE 0 END) FROM sites
    UNION ALL SELECT 'sites', 4, 'with a subject screened', count(*) FROM by_site
    UNION ALL SELECT 'sites', 5, 'with a subject enrolled', sum(CASE WHEN n_enrolled > 0 THEN 1 ELSE 0 END) FROM by_site
    UNION ALL SELECT 'sites', 6, 'closed', sum(CASE WHEN closeout_date <= cut_off_date THEN 1 ELSE 0 END) FROM sites
    UNION ALL SELECT 'subjects', 1, 'screened', count(*) FROM subjects
    UNION ALL SELECT 'subjects', 2, 'failed screening', sum(CASE WHEN is_screen_failure THEN 1 ELSE 0 END) FROM subjects
    UNION ALL SELECT 'subjects', 3, 'enrolled', sum(CASE WHEN is_enrolled THEN 1 ELSE 0 END) FROM subjects
    UNION ALL SELECT 'subjects', 4, 'dosed', sum(CASE WHEN is_enrolled AND first_dose_date IS NOT NULL THEN 1 ELSE 0 END) FROM subjects
    UNION ALL SELECT 'subjects', 5, 'completed', sum(e.completed)
        FROM subjects s JOIN ends e ON e.subject_dk = s.subject_dk WHERE s.is_enrolled
    UNION ALL SELECT 'subjects', 6, 'left early', sum(1 - e.completed)
        FROM subjects s JOIN ends e ON e.subject_dk = s.subject_dk WHERE s.is_enrolled
)
SELECT unit, CAST(stage_order AS BIGINT) AS stage_order, stage, CAST(n AS BIGINT) AS n
FROM stages
ORDER BY unit NULLS LAST, stage_order NULLS LAST
