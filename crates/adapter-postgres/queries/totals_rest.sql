-- What else moves in a sale: its definition, the positions of its shards, the effects that wait.
SELECT (SELECT coalesce(sum(cardinality(counts) - cardinality(told)), 0) FROM tzero.effect WHERE sale_no = $1) AS effects,
  coalesce((SELECT revision FROM tzero.sale WHERE sale_no = $1), 0)
    + coalesce((SELECT sum(position) FROM tzero.shard_term WHERE sale_no = $1), 0)::bigint AS revision;
