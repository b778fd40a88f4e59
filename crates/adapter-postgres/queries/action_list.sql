-- What operators did, newest first.
SELECT at, actor, action, sale_id, detail FROM tzero.action ORDER BY id DESC LIMIT $1;
