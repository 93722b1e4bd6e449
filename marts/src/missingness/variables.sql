-- grain:  one row per variable
-- inputs: dim_test
SELECT test_dk, domain, test_code, min(test) AS test FROM dim_test GROUP BY test_dk, domain, test_code
