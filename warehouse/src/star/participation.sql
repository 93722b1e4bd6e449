-- grain:  one row per subject and time over which subject, site and study had one version each
-- inputs: dim_subject, dim_site, dim_study
-- Who took part, where, under which state of the study. For each subject the times meet without a gap, so that exactly
-- one row is valid on any day. It is no table of the star: facts join it instead of three dimensions.
WITH joined AS (
    SELECT
        u.* EXCLUDE (site_sk, valid_from, valid_to, is_current),
        s.site_sk,
        y.study_sk, y.treatment_emergent_lag_days, y.cut_off_date,
        greatest(u.valid_from, s.valid_from, y.valid_from) AS valid_from,
        least(u.valid_to, s.valid_to, y.valid_to) AS valid_to
    FROM dim_subject u
    JOIN dim_site s ON s.site_dk = u.site_dk
    JOIN dim_study y ON y.study_dk > 0
    WHERE u.subject_sk > 0
)
SELECT *, valid_to IS NULL AS is_current
FROM joined
WHERE valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to
