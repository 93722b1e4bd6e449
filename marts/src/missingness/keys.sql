-- grain:  one row per version of a site, of a scheduled visit and of a variable
-- inputs: dim_site, dim_visit, dim_test
SELECT 'site' AS what, site_sk AS version, site_dk AS durable_key FROM dim_site
UNION ALL
SELECT 'visit', visit_sk, visit_dk FROM dim_visit WHERE visit_dk IN (SELECT visit_dk FROM dim_visit WHERE is_scheduled)
UNION ALL
SELECT 'test', test_sk, test_dk FROM dim_test
