-- Something of the sale's definition changed.
UPDATE tzero.sale SET revision = revision + 1 WHERE sale_no = $1;
