-- What inventories must be told, in the order in which it was decided.
COPY tzero.effect (sale_no, shard, kind, product_no, claims, counts, units) FROM STDIN (FORMAT binary);
