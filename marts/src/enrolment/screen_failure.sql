-- grain:  one row per reason for which screening failed
-- inputs: dim_subject, fact_disposition
-- Of several reasons of one subject the first in the alphabet stands.
WITH failed AS (
    SELECT subject_dk FROM dim_subject WHERE is_current AND is_screen_failure
),
reasons AS (
    SELECT subject_dk, min(term) AS reason FROM fact_disposition
    WHERE COALESCE(decoded, '') = 'SCREEN FAILURE' AND term IS NOT NULL
    GROUP BY subject_dk
),
total AS (
    SELECT count(*) AS n FROM failed
)
SELECT COALESCE(r.reason, 'NOT STATED') AS reason, count(*) AS n_subjects,
    CAST(count(*) AS DOUBLE) / CAST(max(t.n) AS DOUBLE) AS share
FROM failed f
CROSS JOIN total t
LEFT JOIN reasons r ON r.subject_dk = f.subject_dk
GROUP BY COALESCE(r.reason, 'NOT STATED')
ORDER BY n_subjects DESC NULLS LAST, reason NULLS LAST
