-- Products as they are from now on.
INSERT INTO tzero.product (sale_no, product_no, product_id, name, description, image_url, price_minor, currency,
  compare_minor, compare_currency, stock, max_per_user)
SELECT $1, p.* FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
  $9::bigint[], $10::text[], $11::int[], $12::smallint[]) AS p
ON CONFLICT (sale_no, product_no) DO UPDATE SET product_id = EXCLUDED.product_id, name = EXCLUDED.name,
  description = EXCLUDED.description, image_url = EXCLUDED.image_url, price_minor = EXCLUDED.price_minor,
  currency = EXCLUDED.currency, compare_minor = EXCLUDED.compare_minor, compare_currency = EXCLUDED.compare_currency,
  stock = EXCLUDED.stock, max_per_user = EXCLUDED.max_per_user;
