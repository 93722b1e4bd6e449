-- grain:  one row per month-end until the cut-off, the cut-off last
-- inputs: dim_study, dim_subject
SELECT CAST(d.day AS VARCHAR) AS day, CAST(count(s.subject_dk) AS DOUBLE) AS enrolled
FROM (
    SELECT day FROM (
        SELECT unnest(generate_series(date_trunc('month', f.first_day)::DATE, y.cut_off_date, INTERVAL 1 MONTH))::DATE - 1 AS day
        FROM dim_study y CROSS JOIN (
            SELECT min(COALESCE(randomised_date, ref_start_date, consent_date)) AS first_day
            FROM dim_subject WHERE is_current AND is_enrolled
        ) AS f
        WHERE y.is_current AND f.first_day IS NOT NULL AND y.cut_off_date IS NOT NULL
        UNION SELECT cut_off_date FROM dim_study WHERE is_current AND cut_off_date IS NOT NULL
    ) AS days
) AS d
LEFT JOIN dim_subject s ON s.is_current AND s.is_enrolled
    AND COALESCE(s.randomised_date, s.ref_start_date, s.consent_date) <= d.day
GROUP BY d.day
ORDER BY d.day
