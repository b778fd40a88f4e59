-- Forgets effects that were applied.
DELETE FROM tzero.effect WHERE sale_no = $1 AND shard = $2 AND id = ANY($3);
