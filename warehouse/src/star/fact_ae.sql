-- grain:  one row per adverse event record
-- inputs: adverse_event, dim_study, dim_site, dim_subject
WITH placed AS (
    SELECT ae.*, s.* EXCLUDE (study_id, subject_id, is_inferred, valid_from, valid_to, is_current),
        CAST(utc(ae.first_entered_ts) AS DATE) AS entered_date,
        s.first_dose_min AS treated_from_min,
        s.first_dose_max AS treated_from_max,
        -- Rule R-11. Without a last dose treatment goes on, and the window has no end.
        s.last_dose_min + s.treatment_emergent_lag_days AS treated_until_min,
        s.last_dose_max + s.treatment_emergent_lag_days AS treated_until_max
    FROM adverse_event ae
    LEFT JOIN participation s ON s.subject_id = ae.subject_id
        AND valid_on(s.valid_from, s.valid_to, s.is_current, coalesce(ae.start_date, ae.start_min))
)
SELECT
    coalesce(study_sk, unknown()) AS study_sk,
    coalesce(subject_sk, unknown()) AS subject_sk,
    coalesce(subject_dk, unknown()) AS subject_dk,
    coalesce(site_sk, unknown()) AS site_sk,
    term_key('MedDRA', meddra_version, term_code(llt_code, llt, pt_code, pt)) AS term_sk,
    partial_time_key(start_min, start_prec) AS start_time_sk,
    partial_time_key(end_min, end_prec) AS end_time_sk,
    time_key(entered_date) AS entered_time_sk,
    ae_seq,
    term,
    pt,
    soc,
    severity,
    ctcae_grade,
    serious,
    sae_death,
    sae_life_threat,
    sae_hospital,
    sae_disability,
    sae_congenital,
    sae_other,
    -- Rule R-10: what `serious` should be; null when no criterion was asked for.
    CASE
        WHEN sae_death OR sae_life_threat OR sae_hospital OR sae_disability OR sae_congenital OR sae_other THEN true
        WHEN coalesce(sae_death, sae_life_threat, sae_hospital, sae_disability, sae_congenital, sae_other) IS NULL THEN NULL
        ELSE false
    END AS meets_seriousness_criterion,
    causality,
    -- Sponsors word causality as they like: the usual words of both sides, and null for any other.
    CASE
        WHEN upper(causality) IN ('Y', 'YES', 'RELATED', 'POSSIBLE', 'POSSIBLY RELATED', 'PROBABLE', 'PROBABLY RELATED',
            'DEFINITE', 'DEFINITELY RELATED', 'CERTAIN', 'SUSPECTED') THEN true
        WHEN upper(causality) IN ('N', 'NO', 'NONE', 'NOT RELATED', 'UNRELATED', 'UNLIKELY', 'UNLIKELY RELATED', 'REMOTE',
            'NOT SUSPECTED') THEN false
    END AS is_related,
    action_taken,
    outcome,
    of_special_interest,
    -- Rule R-11 by the bounds of the dates: where they straddle the window the answer is not known.
    CASE
        WHEN treated_from_min IS NULL THEN 'UNKNOWN'
        WHEN start_max < treated_from_min OR start_min > treated_until_max OR end_max < treated_from_min THEN 'FALSE'
        WHEN start_min >= treated_from_max AND (last_dose_min IS NULL OR start_max <= treated_until_min) THEN 'TRUE'
        ELSE 'UNKNOWN'
    END AS emergent,
    start_date - first_dose_date AS days_since_first_dose,
    end_date - start_date + 1 AS duration_days,
    entered_date - start_date AS reporting_lag_days,
    start_dtc,
    start_date,
    start_min,
    start_max,
    end_dtc,
    end_date,
    ongoing,
    first_entered_ts,
    row_id AS source_row_id,
    source_system
FROM placed
ORDER BY site_sk, subject_sk, ae_seq, row_id
