-- grain:  one row per domain and test code
-- inputs: lab_result, observation
WITH tests AS (
    SELECT 'LB' AS domain, test_code, test, category, std_unit FROM lab_result
    UNION ALL
    SELECT domain, test_code, test, category, std_unit FROM observation
)
SELECT
    star_key('dim_test|' || domain || '|' || test_code) AS test_sk,
    domain,
    test_code,
    coalesce(min(test), test_code) AS test,
    min(category) AS category,
    min(std_unit) AS std_unit
FROM tests
GROUP BY domain, test_code
ORDER BY domain, test_code
