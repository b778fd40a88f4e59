-- Products that the sale does not have any more.
DELETE FROM tzero.product WHERE sale_no = $1 AND product_no >= $2;
