-- The turn to renew a shard, kept by this connection until it ends; false while another one has it.
-- $1 number of the sale, $2 number of the shard.
SELECT pg_try_advisory_lock(hashtextextended('tzero renewal ' || $1::int || '.' || $2::int, 0)) AS mine
