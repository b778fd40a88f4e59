-- Products of these sales, in their order.
SELECT * FROM tzero.product WHERE sale_no = ANY($1) ORDER BY sale_no, product_no;
