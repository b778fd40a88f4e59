-- What inventories must be told, in the order in which it was decided.
INSERT INTO tzero.effect (sale_no, shard, kind, product_no, claim, units)
SELECT e.sale_no, e.shard, e.kind, e.product_no, e.claim, ($8::int[])[e.first:e.last]
FROM unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::bytea[], $6::int[], $7::int[]) WITH ORDINALITY
  AS e(sale_no, shard, kind, product_no, claim, first, last, place)
ORDER BY e.place;
