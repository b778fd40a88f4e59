-- The same, kept from others until the transaction ends.
SELECT epoch, state, fence, position FROM tzero.shard_term WHERE sale_no = $1 AND shard = $2 FOR NO KEY UPDATE;
