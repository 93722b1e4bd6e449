-- grain:  one row per site that has been activated or is to be
-- inputs: mart_site_enrolment, dim_study
SELECT CAST(e.n_enrolled AS DOUBLE) AS enrolled,
    CAST(COALESCE(e.days_open, 0) AS DOUBLE) AS exposure,
    CAST(CASE WHEN e.days_open IS NULL THEN date_diff('day', y.cut_off_date, e.activation_date) ELSE 0 END AS DOUBLE) AS opens_in,
    CAST(y.planned_subjects AS DOUBLE) AS target,
    CAST(y.cut_off_date AS VARCHAR) AS cut_off,
    CAST(date_diff('day', max(e.last_enrolled) OVER (), y.cut_off_date) AS DOUBLE) AS silence
FROM mart_site_enrolment e JOIN dim_study y ON y.is_current
WHERE y.cut_off_date IS NOT NULL
    AND (e.closeout_date IS NULL OR e.closeout_date > y.cut_off_date)
    AND (e.days_open IS NOT NULL OR e.activation_date IS NOT NULL)
ORDER BY e.site_id
