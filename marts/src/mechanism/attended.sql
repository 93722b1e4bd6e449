-- grain:  one row per variable due at a visit of a subject that took place
-- inputs: mart_value_due
SELECT visit_dk, subject_dk, site_dk FROM mart_value_due WHERE came = 1
