-- Forgets every effect of a shard: a snapshot has what they would have said.
DELETE FROM tzero.effect WHERE sale_no = $1 AND shard = $2;
