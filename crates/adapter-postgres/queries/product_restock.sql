-- The stock of one product as it is from now on.
UPDATE tzero.product SET stock = $3 WHERE sale_no = $1 AND product_no = $2;
