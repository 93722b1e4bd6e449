-- grain:  one row per site as it is now: the relation `site`
-- inputs: dim_site, study
SELECT s.site_sk, s.site_dk, s.target_enrolment,
    CASE WHEN s.status = 'ACTIVE' AND s.activation_date <= study.cut_off_date - 90 THEN 1 ELSE 0 END AS is_long_active
FROM dim_site s CROSS JOIN study
WHERE s.is_current
