-- grain:  one row per enrolled subject with known days on study
-- inputs: dim_subject, dim_study, fact_disposition, subject_treatment
-- As the courses of the whole study, with what subjects are grouped by. Arms are known where the study is not blinded.
WITH leaving AS (
    SELECT subject_dk, 1 AS has_left
    FROM fact_disposition
    WHERE category = 'DISPOSITION EVENT' AND scope = 'STUDY'
        AND COALESCE(decoded, '') NOT IN ('COMPLETED', 'SCREEN FAILURE')
    GROUP BY subject_dk
)
SELECT CAST(s.days_on_study AS DOUBLE) AS days, CAST(COALESCE(l.has_left, 0) AS DOUBLE) AS has_left,
    s.site_id, s.country, COALESCE(a.actual_arm, a.planned_arm) AS arm
FROM dim_subject s
LEFT JOIN leaving l ON l.subject_dk = s.subject_dk
LEFT JOIN dim_study y ON y.is_current
LEFT JOIN subject_treatment a ON a.subject_dk = s.subject_dk AND y.is_blinded = FALSE
WHERE s.is_current AND s.is_enrolled AND s.days_on_study IS NOT NULL
ORDER BY s.site_id, days, has_left
