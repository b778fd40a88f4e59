-- The term of a shard as it is from now on.
UPDATE tzero.shard_term SET epoch = $3, state = $4, fence = $5 WHERE sale_no = $1 AND shard = $2;
