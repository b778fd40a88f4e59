-- Units of live orders.
INSERT INTO tzero.order_unit (ticket, since, sale_no, product_no, unit_no, user_hash, user_slot, live)
SELECT u.*, true FROM unnest($1::bytea[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::bytea[], $7::smallint[]) AS u;
