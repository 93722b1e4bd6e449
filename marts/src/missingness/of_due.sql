-- grain:  one row per subject, scheduled visit due and variable due at it: the relation `due`, made once for all that counts it
-- inputs: mart_value_due
WITH due AS (
    SELECT subject_dk, test_dk, visit_dk, site_dk, came, due_date, received, observed, mean_value FROM mart_value_due
)
