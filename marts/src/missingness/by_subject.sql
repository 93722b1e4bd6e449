-- grain:  one row per subject, scheduled visit due and variable due at it
-- inputs: due
SELECT subject_dk, test_dk, visit_dk, site_dk, came, due_date, received, observed, mean_value
FROM due
ORDER BY test_dk NULLS LAST, visit_dk NULLS LAST, subject_dk NULLS LAST
