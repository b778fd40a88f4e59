-- Effects of a shard that wait, oldest first, each with the shard's epoch; one row without an effect where none waits.
SELECT t.epoch, e.id, e.kind, e.product_no, e.claim, e.units FROM tzero.shard_term t
LEFT JOIN LATERAL (SELECT * FROM tzero.effect w WHERE w.sale_no = t.sale_no AND w.shard = t.shard ORDER BY w.id LIMIT $3)
  AS e ON true
WHERE t.sale_no = $1 AND t.shard = $2 ORDER BY e.id;
