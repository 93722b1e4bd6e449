-- grain:  one row per enrolled subject with known days on study
-- inputs: dim_subject, fact_disposition
-- Who completed is censored: completing is no loss. Of several reasons the first in the alphabet stands.
WITH leaving AS (
    SELECT subject_dk, min(COALESCE(decoded, term, 'NOT STATED')) AS reason
    FROM fact_disposition
    WHERE category = 'DISPOSITION EVENT' AND scope = 'STUDY'
        AND COALESCE(decoded, '') NOT IN ('COMPLETED', 'SCREEN FAILURE')
    GROUP BY subject_dk
)
SELECT CAST(s.days_on_study AS DOUBLE) AS days, l.reason
FROM dim_subject s LEFT JOIN leaving l ON l.subject_dk = s.subject_dk
WHERE s.is_current AND s.is_enrolled AND s.days_on_study IS NOT NULL
ORDER BY days NULLS LAST, l.reason NULLS LAST
