-- grain:  one row per indicator and subject that counts for it; of indicators about sites, per indicator and site
-- inputs: contributions, sites
-- -2 stands for no subject: these are about sites.
    SELECT 'e02', -2, site_sk, CAST(n_enrolled AS DOUBLE), CAST(target_enrolment AS DOUBLE) FROM sites WHERE target_enrolment > 0
    UNION ALL
    SELECT 'e08', -2, site_sk, CAST(is_empty AS DOUBLE), CAST(1 AS DOUBLE) FROM sites WHERE is_long_active = 1
)
SELECT indicator_id, subject_sk, site_sk, COALESCE(numerator, 0) AS numerator, COALESCE(denominator, 0) AS denominator
FROM contributions
ORDER BY indicator_id NULLS LAST, site_sk NULLS LAST, subject_sk NULLS LAST
