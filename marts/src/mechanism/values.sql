-- grain:  one row per variable due at a visit of a subject that took place
-- inputs: mart_value_due
-- Whose visit did not take place lacks everything, which is no question of single values.
SELECT visit_dk, subject_dk, test_dk, observed, mean_value FROM mart_value_due WHERE came = 1
