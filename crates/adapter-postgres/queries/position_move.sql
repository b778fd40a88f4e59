-- Moves the position of a shard, if nobody was faster; holds its term until the transaction ends.
UPDATE tzero.shard_term SET position = $4 WHERE sale_no = $1 AND shard = $2 AND position = $3
RETURNING epoch, state, fence, tzero.clock() AS now;
