-- grain:  one row per subject with a result: the relation `result`
-- inputs: mart_subject_results
SELECT subject_dk, n_grade_3_4, n_graded, n_assessments, n_empty, n_samples_due, n_samples FROM mart_subject_results
