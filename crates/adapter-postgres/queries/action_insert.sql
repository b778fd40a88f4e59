-- Notes what an operator did.
INSERT INTO tzero.action (at, actor, action, sale_id, detail) VALUES ($1, $2, $3, $4, $5);
