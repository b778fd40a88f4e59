-- Every order of a shard, or every live one, in the order in which they were taken in.
SELECT * FROM tzero.orders WHERE sale_no = $1 AND shard = $2 AND (live OR $3) ORDER BY number;
