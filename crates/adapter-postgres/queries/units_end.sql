-- These units are these orders' no more.
UPDATE tzero.order_unit u SET live = false
FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[]) AS ended(ticket, sale_no, product_no, unit_no)
WHERE u.live AND u.unit_no = ended.unit_no AND u.product_no = ended.product_no AND u.sale_no = ended.sale_no
  AND u.ticket = ended.ticket;
