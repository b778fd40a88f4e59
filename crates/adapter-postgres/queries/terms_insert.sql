-- The terms of a sale's shards, before they open for the first time.
INSERT INTO tzero.shard_term (sale_no, shard, epoch, state, fence, position)
SELECT $1, shard, $3, $4, $5, 0 FROM generate_series(0, $2::int - 1) AS shard
ON CONFLICT (sale_no, shard) DO NOTHING;
