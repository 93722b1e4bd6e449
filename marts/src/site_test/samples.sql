-- grain:  one row per subject and day on which a laboratory sample was taken
-- inputs: fact_lab
SELECT DISTINCT subject_dk, CAST(date_diff('day', DATE '1970-01-01', collected_date) AS DOUBLE) AS day
FROM fact_lab
WHERE NOT not_done AND collected_date IS NOT NULL
ORDER BY subject_dk, day
