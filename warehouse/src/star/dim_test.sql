-- grain:  one row per domain, test code, specimen and standard unit
-- inputs: lab_result, observation
-- `test_dk` is the test whatever its specimen and unit. A result without a unit belongs to the test's default one.
WITH tests AS (
    SELECT 'LB' AS domain, test_code, specimen, std_unit,
        min(test) AS test, min(category) AS category, min(loinc) AS loinc
    FROM lab_result GROUP BY test_code, specimen, std_unit
    UNION ALL BY NAME
    SELECT domain, test_code, std_unit, min(test) AS test, min(category) AS category
    FROM observation GROUP BY domain, test_code, std_unit
),
described AS (
    SELECT domain, test_code, specimen, std_unit,
        min(test) OVER by_test AS test,
        min(category) OVER by_test AS category,
        min(loinc) OVER by_specimen AS loinc,
        row_number() OVER (PARTITION BY domain, test_code, specimen ORDER BY std_unit NULLS LAST) = 1 AS is_default_unit
    FROM tests
    WINDOW by_test AS (PARTITION BY domain, test_code), by_specimen AS (PARTITION BY domain, test_code, specimen)
    QUALIFY std_unit IS NOT NULL OR is_default_unit
),
members AS (
    SELECT
        star_key('dim_test|' || domain || '|' || test_code || '|' || coalesce(specimen, '') || '|' || coalesce(std_unit, ''))
            AS test_sk,
        star_key('dim_test|' || domain || '|' || test_code) AS test_dk,
        domain,
        test_code,
        coalesce(test, test_code) AS test,
        category,
        specimen,
        std_unit,
        loinc,
        is_default_unit
    FROM described
)
SELECT * FROM members
UNION ALL BY NAME
SELECT member_sk AS test_sk, member_sk AS test_dk, member AS domain, member AS test_code, member AS test,
    false AS is_default_unit
FROM reserved()
ORDER BY test_sk < 0, domain, test_code, specimen, std_unit, test_sk
