-- grain:  one row per enrolled subject
-- inputs: dim_subject
-- Who moved counts at the site of now. The day on which somebody came is that of randomisation, else of consent.
SELECT subject_dk, site_id, COALESCE(country, '') AS country,
    CAST(date_diff('day', DATE '1970-01-01', COALESCE(randomised_date, consent_date, ref_start_date)) AS DOUBLE) AS joined
FROM dim_subject
WHERE is_current AND is_enrolled AND site_id IS NOT NULL
ORDER BY site_id, subject_id, subject_dk
