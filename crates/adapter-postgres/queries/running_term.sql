-- The term of a shard, kept from moving until the transaction ends.
SELECT epoch, state, fence FROM tzero.running_term($1, $2);
