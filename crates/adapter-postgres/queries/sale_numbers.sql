-- Which number stands for which sale.
SELECT sale_no, sale_id FROM tzero.sale;
