-- grain:  one row per enrolled subject as it is now: the relation `enrolled`
-- inputs: dim_subject
SELECT subject_dk, subject_sk, site_sk FROM dim_subject WHERE is_current AND is_enrolled
