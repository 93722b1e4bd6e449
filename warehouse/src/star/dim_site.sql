-- grain:  one row per site; sites that only subjects name are inferred
-- inputs: site, dim_subject
WITH members AS (
    SELECT site_id, site_name, country, region, city, investigator_id, status, activation_date, target_enrolment,
        false AS is_inferred
    FROM site
    UNION ALL BY NAME
    SELECT site_id, any_value(country) AS country, 'UNKNOWN' AS status, true AS is_inferred
    FROM dim_subject ANTI JOIN site USING (site_id)
    GROUP BY site_id
)
SELECT
    star_key('dim_site|' || this_study() || '|' || site_id) AS site_sk,
    this_study() AS study_id,
    site_id,
    site_name,
    country,
    region,
    status,
    activation_date,
    target_enrolment,
    is_inferred
FROM members
ORDER BY site_id
