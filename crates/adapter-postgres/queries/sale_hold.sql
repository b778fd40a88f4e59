-- One sale, kept from others until the transaction ends.
SELECT * FROM tzero.sale WHERE sale_id = $1 FOR UPDATE;
