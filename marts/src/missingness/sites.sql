-- grain:  one row per site and name that it had
-- inputs: dim_site
SELECT DISTINCT site_dk, site_id FROM dim_site
