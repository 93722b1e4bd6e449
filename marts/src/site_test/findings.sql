-- grain:  one row per numeric finding of a subject
-- inputs: fact_observation, fact_lab
-- A number behind `<` or `>` is a limit and no value. Decimals are those that the value was written with.
SELECT subject_dk, test_sk, CAST(date_diff('day', DATE '1970-01-01', collected_date) AS DOUBLE) AS day,
    CAST(visit_num AS DOUBLE) AS visit_num, CAST(std_value AS DOUBLE) AS value,
    CAST(CASE WHEN strpos(COALESCE(std_result, ''), '.') = 0 THEN 0
        ELSE length(std_result) - strpos(std_result, '.') END AS DOUBLE) AS decimals
FROM (
    SELECT subject_dk, test_sk, collected_date, visit_num, std_value, std_result
    FROM fact_observation WHERE NOT not_done AND operator IS NULL
    UNION ALL
    SELECT subject_dk, test_sk, collected_date, visit_num, std_value, std_result
    FROM fact_lab WHERE NOT not_done AND operator IS NULL
) AS findings
WHERE std_value IS NOT NULL AND isfinite(std_value)
