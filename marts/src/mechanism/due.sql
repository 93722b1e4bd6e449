-- grain:  one row per subject, scheduled visit due and variable due at it
-- inputs: mart_value_due
SELECT came, visit_dk, subject_dk, site_dk, test_dk, observed, mean_value FROM mart_value_due
