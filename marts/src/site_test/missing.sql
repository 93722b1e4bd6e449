-- grain:  one row per subject, scheduled visit due and variable due at it
-- inputs: mart_value_due
SELECT subject_dk, test_dk, observed FROM mart_value_due
