-- Notes a restock under its key.
INSERT INTO tzero.restock (sale_no, key, product_no, units) VALUES ($1, $2, $3, $4);
