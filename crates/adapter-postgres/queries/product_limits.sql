-- What a decision needs to know of products.
SELECT p.sale_no, p.product_no, p.stock, p.max_per_user, p.price_minor, p.currency
FROM unnest($1::int[], $2::int[]) AS asked(sale_no, product_no)
JOIN tzero.product p ON p.sale_no = asked.sale_no AND p.product_no = asked.product_no;
