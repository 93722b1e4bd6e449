-- grain:  one row per variable
-- inputs: dim_test
SELECT DISTINCT test_dk, domain, test_code FROM dim_test ORDER BY domain, test_code, test_dk
