-- Who owns these units, and what these buyers own.
SELECT u.sale_no, u.product_no, u.unit_no, u.user_hash, u.user_slot, u.ticket
FROM unnest($1::int[], $2::int[], $3::int[]) AS asked(sale_no, product_no, unit_no)
JOIN tzero.order_unit u ON u.live AND u.sale_no = asked.sale_no AND u.product_no = asked.product_no
  AND u.unit_no = asked.unit_no
UNION ALL
SELECT u.sale_no, u.product_no, u.unit_no, u.user_hash, u.user_slot, u.ticket
FROM unnest($4::int[], $5::int[], $6::bytea[]) AS buyer(sale_no, product_no, user_hash)
JOIN tzero.order_unit u ON u.live AND u.sale_no = buyer.sale_no AND u.product_no = buyer.product_no
  AND u.user_hash = buyer.user_hash;
