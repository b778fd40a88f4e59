-- Notes an event of a provider; no row where it was noted before.
INSERT INTO tzero.event (provider, event) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING event;
