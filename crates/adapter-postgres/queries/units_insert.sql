-- Units of live orders.
COPY tzero.order_unit (ticket, since, sale_no, product_no, unit_no, user_hash, user_slot, live)
FROM STDIN (FORMAT binary);
