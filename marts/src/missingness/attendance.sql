-- grain:  one row per scheduled visit
-- inputs: dim_subject, dim_visit, fact_visit, fact_disposition
-- Of all enrolled subjects: who came; who missed it and came later (intermittent); who missed it and never came again
-- while in the study; who had left before it; and for whom it is not due yet. The five add up.
WITH enrolled AS (
    SELECT subject_dk FROM dim_subject WHERE is_current AND is_enrolled
),
scheduled AS (
    SELECT visit_dk, min(visit_num) AS visit_num, min(visit) AS visit, min(visit_order) AS visit_order
    FROM dim_visit WHERE is_current AND is_scheduled GROUP BY visit_dk
),
attended AS (
    SELECT f.subject_dk, p.visit_order,
        max(CASE WHEN f.occurred THEN 1 ELSE 0 END) AS came,
        max(CASE WHEN f.is_missed THEN 1 ELSE 0 END) AS missed
    FROM fact_visit f
    JOIN dim_visit v ON v.visit_sk = f.visit_sk
    JOIN scheduled p ON p.visit_dk = v.visit_dk
    GROUP BY f.subject_dk, p.visit_order
),
last_visit AS (
    SELECT subject_dk, max(visit_order) AS last_order FROM attended WHERE came = 1 GROUP BY subject_dk
),
leaving AS (
    SELECT DISTINCT subject_dk FROM fact_disposition
    WHERE category = 'DISPOSITION EVENT' AND scope = 'STUDY'
        AND COALESCE(decoded, '') NOT IN ('COMPLETED', 'SCREEN FAILURE')
),
cells AS (
    SELECT p.visit_num, p.visit, p.visit_order,
        CASE WHEN a.came = 1 THEN 'came'
            WHEN p.visit_order < COALESCE(l.last_order, 0) THEN 'intermittent'
            WHEN a.missed = 1 THEN 'monotone'
            WHEN g.subject_dk IS NOT NULL THEN 'left'
            ELSE 'pending' END AS state
    FROM enrolled e
    CROSS JOIN scheduled p
    LEFT JOIN attended a ON a.subject_dk = e.subject_dk AND a.visit_order = p.visit_order
    LEFT JOIN last_visit l ON l.subject_dk = e.subject_dk
    LEFT JOIN leaving g ON g.subject_dk = e.subject_dk
)
SELECT visit_num, min(visit) AS visit, min(visit_order) AS visit_order,
    count(*) AS n_enrolled,
    CAST(sum(CASE WHEN state = 'came' THEN 1 ELSE 0 END) AS BIGINT) AS n_came,
    CAST(sum(CASE WHEN state = 'intermittent' THEN 1 ELSE 0 END) AS BIGINT) AS n_missed_and_returned,
    CAST(sum(CASE WHEN state = 'monotone' THEN 1 ELSE 0 END) AS BIGINT) AS n_missed_since,
    CAST(sum(CASE WHEN state = 'left' THEN 1 ELSE 0 END) AS BIGINT) AS n_left_before,
    CAST(sum(CASE WHEN state = 'pending' THEN 1 ELSE 0 END) AS BIGINT) AS n_not_due_yet
FROM cells
GROUP BY visit_num
ORDER BY visit_num NULLS LAST
