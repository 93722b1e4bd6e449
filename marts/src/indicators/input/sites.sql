-- grain:  one row per indicator and subject that counts for it; of indicators about sites, per indicator and site
-- inputs: contributions, site, current_subjects
-- -2 stands for no subject: these are about sites.
    SELECT 'e02', -2, s.site_sk, CAST(COALESCE(n.n_enrolled, 0) AS DOUBLE), CAST(s.target_enrolment AS DOUBLE)
    FROM site s LEFT JOIN (SELECT site_dk, sum(is_enrolled) AS n_enrolled FROM current_subjects GROUP BY site_dk) AS n ON n.site_dk = s.site_dk
    WHERE s.target_enrolment > 0
    UNION ALL
    SELECT 'e08', -2, s.site_sk, CAST(CASE WHEN n.n_enrolled > 0 THEN 0 ELSE 1 END AS DOUBLE), CAST(1 AS DOUBLE)
    FROM site s LEFT JOIN (SELECT site_dk, sum(is_enrolled) AS n_enrolled FROM current_subjects GROUP BY site_dk) AS n ON n.site_dk = s.site_dk
    WHERE s.is_long_active = 1
)
SELECT indicator_id, subject_sk, site_sk, COALESCE(numerator, 0) AS numerator, COALESCE(denominator, 0) AS denominator
FROM contributions
ORDER BY indicator_id NULLS LAST, site_sk NULLS LAST, subject_sk NULLS LAST
