-- grain:  one row per month-end until the cut-off, the cut-off last
-- inputs: dim_study, dim_subject
-- A study without a cut-off is shown until the day of its last enrolment.
WITH subjects AS (
    SELECT subject_dk, COALESCE(randomised_date, ref_start_date, consent_date) AS enrolled_date
    FROM dim_subject WHERE is_current AND is_enrolled
),
span AS (
    SELECT min(s.enrolled_date) AS first_day, COALESCE(max(y.cut_off_date), max(s.enrolled_date)) AS last_day
    FROM subjects s LEFT JOIN dim_study y ON y.is_current
),
days AS (
    SELECT unnest(generate_series(date_trunc('month', first_day)::DATE, last_day, INTERVAL 1 MONTH))::DATE - 1 AS day
    FROM span WHERE first_day IS NOT NULL
    UNION
    SELECT last_day FROM span WHERE first_day IS NOT NULL
)
SELECT CAST(d.day AS VARCHAR) AS day, CAST(count(s.subject_dk) AS DOUBLE) AS enrolled
FROM days d LEFT JOIN subjects s ON s.enrolled_date <= d.day
GROUP BY d.day
ORDER BY d.day
