-- grain:  one row per EDC form, and one per form and item
-- inputs: form_instance, item_value, query
-- The form itself is the member without an item.
WITH items AS (
    SELECT form_oid, item_oid, bool_or(is_required) AS is_required
    FROM item_value JOIN form_instance USING (subject_id, form_instance_id)
    GROUP BY form_oid, item_oid
),
named AS (
    SELECT form_oid FROM form_instance GROUP BY form_oid
    UNION ALL BY NAME
    SELECT form_oid, item_oid, is_required FROM items
    UNION ALL BY NAME
    SELECT form_oid FROM query WHERE form_oid IS NOT NULL GROUP BY form_oid
    UNION ALL BY NAME
    SELECT form_oid, item_oid FROM query WHERE form_oid IS NOT NULL AND item_oid IS NOT NULL GROUP BY form_oid, item_oid
),
members AS (
    SELECT
        star_key('dim_form|' || this_study() || '|' || form_oid || coalesce('|' || item_oid, '')) AS form_sk,
        this_study() AS study_id,
        form_oid,
        item_oid,
        bool_or(is_required) AS is_required
    FROM named
    GROUP BY form_oid, item_oid
)
SELECT * FROM members
UNION ALL BY NAME
SELECT member_sk AS form_sk, this_study() AS study_id, member AS form_oid FROM reserved()
ORDER BY form_sk < 0, form_oid, item_oid NULLS FIRST, form_sk
