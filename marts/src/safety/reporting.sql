-- grain:  one row per site with adverse events of enrolled subjects, and one for all of them
-- inputs: dim_site, dim_subject, fact_ae
-- The days from the start of an event to its entry; events without both days are in no band.
WITH events AS (
    SELECT i.site_id, f.serious, f.reporting_lag_days AS lag
    FROM fact_ae f
    JOIN dim_site i ON i.site_sk = f.site_sk
    JOIN dim_subject s ON s.subject_dk = f.subject_dk AND s.is_current
    WHERE s.is_enrolled AND i.site_id IS NOT NULL
),
both_levels AS (
    SELECT 'ALL' AS site_id, serious, lag FROM events
    UNION ALL SELECT site_id, serious, lag FROM events
)
SELECT site_id,
    count(*) AS n_events,
    count(lag) AS n_timed,
    CAST(sum(CASE WHEN lag <= 1 THEN 1 ELSE 0 END) AS BIGINT) AS n_within_1_day,
    CAST(sum(CASE WHEN lag BETWEEN 2 AND 7 THEN 1 ELSE 0 END) AS BIGINT) AS n_2_to_7_days,
    CAST(sum(CASE WHEN lag BETWEEN 8 AND 30 THEN 1 ELSE 0 END) AS BIGINT) AS n_8_to_30_days,
    CAST(sum(CASE WHEN lag > 30 THEN 1 ELSE 0 END) AS BIGINT) AS n_above_30_days,
    avg(CAST(lag AS DOUBLE)) AS mean_days,
    CAST(sum(CASE WHEN serious THEN 1 ELSE 0 END) AS BIGINT) AS n_serious,
    CAST(sum(CASE WHEN serious AND lag > 1 THEN 1 ELSE 0 END) AS BIGINT) AS n_serious_above_1_day,
    CAST(sum(CASE WHEN serious THEN 1 ELSE 0 END) AS DOUBLE) / CAST(count(*) AS DOUBLE) AS share_serious
FROM both_levels
GROUP BY site_id
ORDER BY site_id NULLS LAST
