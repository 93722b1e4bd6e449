-- grain:  one row per subject with an adverse event: the relation `ae`
-- inputs: fact_ae
SELECT subject_dk, count(*) AS n_ae,
    sum(CASE WHEN serious THEN 1 ELSE 0 END) AS n_sae,
    sum(CASE WHEN of_special_interest THEN 1 ELSE 0 END) AS n_special,
    sum(CASE WHEN of_special_interest IS NULL THEN 0 ELSE 1 END) AS n_special_told,
    sum(CASE WHEN reporting_lag_days IS NULL THEN 0 ELSE 1 END) AS n_lags,
    sum(CASE WHEN reporting_lag_days > 10 THEN 1 ELSE 0 END) AS n_ae_late,
    sum(CASE WHEN serious AND reporting_lag_days IS NOT NULL THEN 1 ELSE 0 END) AS n_sae_lags,
    sum(CASE WHEN serious AND reporting_lag_days > 1 THEN 1 ELSE 0 END) AS n_sae_late,
    max(CASE WHEN action_taken = 'DRUG INTERRUPTED' THEN 1 ELSE 0 END) AS interrupted,
    sum(CASE WHEN action_taken IS NULL THEN 0 ELSE 1 END) AS n_actions_told
FROM fact_ae GROUP BY subject_dk
