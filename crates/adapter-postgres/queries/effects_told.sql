-- Notes which effects of a row were applied; says whether all were, and how many the row has.
UPDATE tzero.effect SET told = ARRAY(SELECT unnest(told) UNION SELECT unnest($4::int[]))
WHERE sale_no = $1 AND shard = $2 AND id = $3
RETURNING cardinality(told) = cardinality(counts) AS whole, cardinality(counts) AS count;
