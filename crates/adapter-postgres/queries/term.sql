-- The term of a shard, and how far its claims are taken in.
SELECT epoch, state, fence, position FROM tzero.shard_term WHERE sale_no = $1 AND shard = $2;
