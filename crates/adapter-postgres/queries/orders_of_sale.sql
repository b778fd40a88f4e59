-- Every order of a sale.
SELECT * FROM tzero.orders WHERE sale_no = $1 ORDER BY number;
