-- grain:  one row per adverse event record
-- inputs: adverse_event, dim_subject
SELECT
    s.subject_sk,
    s.site_sk,
    ae.ae_seq,
    ae.term,
    ae.pt,
    ae.soc,
    ae.severity,
    ae.ctcae_grade,
    ae.serious,
    ae.causality,
    ae.outcome,
    ae.start_dtc,
    ae.start_date,
    ae.start_min,
    ae.start_max,
    ae.end_dtc,
    ae.end_date,
    ae.ongoing,
    ae.first_entered_ts,
    ae.row_id AS source_row_id
FROM adverse_event ae JOIN dim_subject s USING (subject_id)
ORDER BY s.site_sk, s.subject_sk, ae.ae_seq, ae.row_id
