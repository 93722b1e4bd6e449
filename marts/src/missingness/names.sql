-- grain:  one row per variable, and one per site: the relations `variables` and `sites`
-- inputs: dim_test, dim_site
, variables AS (
    SELECT test_dk, domain, test_code, min(test) AS test
    FROM dim_test
    GROUP BY test_dk, domain, test_code
),
sites AS (
    SELECT DISTINCT site_dk, site_id FROM dim_site
)
