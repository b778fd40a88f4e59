-- The restock that was made under a key.
SELECT product_no, units FROM tzero.restock WHERE sale_no = $1 AND key = $2;
