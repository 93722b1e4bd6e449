-- grain:  one row per numeric finding of a subject
-- inputs: dim_test, fact_observation, fact_lab
-- A number behind `<` or `>` is a limit and no value. Decimals are those that the value was written with.
WITH findings AS (
    SELECT subject_dk, test_sk, collected_date, visit_num, std_value, std_result
    FROM fact_observation WHERE NOT not_done AND operator IS NULL
    UNION ALL
    SELECT subject_dk, test_sk, collected_date, visit_num, std_value, std_result
    FROM fact_lab WHERE NOT not_done AND operator IS NULL
)
SELECT t.domain || '.' || t.test_code AS variable, f.subject_dk,
    CAST(date_diff('day', DATE '1970-01-01', f.collected_date) AS DOUBLE) AS day,
    CAST(f.visit_num AS DOUBLE) AS visit_num,
    CAST(f.std_value AS DOUBLE) AS value,
    CAST(CASE WHEN strpos(COALESCE(f.std_result, ''), '.') = 0 THEN 0
        ELSE length(f.std_result) - strpos(f.std_result, '.') END AS DOUBLE) AS decimals
FROM findings f JOIN dim_test t ON t.test_sk = f.test_sk
WHERE f.std_value IS NOT NULL AND isfinite(f.std_value)
ORDER BY variable, f.subject_dk, day NULLS FIRST, visit_num NULLS FIRST, value
