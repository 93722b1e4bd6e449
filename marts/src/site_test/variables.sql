-- grain:  one row per version of a variable
-- inputs: dim_test
SELECT test_sk, test_dk, domain || '.' || test_code AS variable FROM dim_test
