-- Forgets rows of effects all of which were applied.
DELETE FROM tzero.effect e USING unnest($3::bigint[], $4::int[]) AS told(id, count)
WHERE e.sale_no = $1 AND e.shard = $2 AND e.id = told.id AND cardinality(e.counts) = told.count RETURNING e.id;
