-- grain:  one row per site
-- inputs: dim_study, dim_site, dim_subject
-- A site is open from its activation to its close-out or the cut-off. Somebody counts as enrolled on the day of
-- randomisation, else on day 1, else of consent.
WITH study AS (
    SELECT cut_off_date FROM dim_study WHERE is_current
),
subjects AS (
    SELECT site_dk, is_enrolled, is_screen_failure,
        COALESCE(randomised_date, ref_start_date, consent_date) AS enrolled_date
    FROM dim_subject WHERE is_current AND is_screened
),
counted AS (
    SELECT site_dk, count(*) AS n_screened,
        sum(CASE WHEN is_screen_failure THEN 1 ELSE 0 END) AS n_failed,
        sum(CASE WHEN is_enrolled THEN 1 ELSE 0 END) AS n_enrolled,
        min(CASE WHEN is_enrolled THEN enrolled_date END) AS first_enrolled,
        max(CASE WHEN is_enrolled THEN enrolled_date END) AS last_enrolled
    FROM subjects GROUP BY site_dk
),
sites AS (
    SELECT s.site_id, s.country, s.status, s.activation_date, s.closeout_date, s.target_enrolment,
        CAST(COALESCE(c.n_screened, 0) AS BIGINT) AS n_screened,
        CAST(COALESCE(c.n_failed, 0) AS BIGINT) AS n_screen_failed,
        CAST(COALESCE(c.n_enrolled, 0) AS BIGINT) AS n_enrolled,
        c.first_enrolled, c.last_enrolled,
        CASE WHEN COALESCE(s.activation_date, c.first_enrolled) <= y.cut_off_date
            THEN CAST(ROUND(CAST(EXTRACT(EPOCH FROM LEAST(COALESCE(s.closeout_date, y.cut_off_date), y.cut_off_date))
                - EXTRACT(EPOCH FROM COALESCE(s.activation_date, c.first_enrolled)) AS DOUBLE) / 86400.0) AS BIGINT) END AS days_open
    FROM dim_site s
    CROSS JOIN study y
    LEFT JOIN counted c ON c.site_dk = s.site_dk
    WHERE s.is_current
)
SELECT site_id, country, status, activation_date, closeout_date, CAST(target_enrolment AS BIGINT) AS target_enrolment,
    n_screened, n_screen_failed, n_enrolled, first_enrolled, last_enrolled, days_open,
    CASE WHEN n_screened > 0 THEN CAST(n_screen_failed AS DOUBLE) / CAST(n_screened AS DOUBLE) END AS share_screen_failed,
    CASE WHEN days_open > 0 THEN CAST(n_enrolled AS DOUBLE) * 30.4375 / CAST(days_open AS DOUBLE) END AS enrolled_per_month
FROM sites
ORDER BY site_id NULLS LAST
