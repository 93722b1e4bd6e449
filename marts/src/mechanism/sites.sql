-- grain:  one row per site
-- inputs: dim_site
SELECT site_dk, min(site_id) AS site_id FROM dim_site GROUP BY site_dk
