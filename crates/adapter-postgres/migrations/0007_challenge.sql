-- Whom a sale asks to show that they are no program; sales of before ask nobody.
ALTER TABLE tzero.sale ADD COLUMN challenge text NOT NULL DEFAULT 'never'
  CHECK (challenge IN ('never', 'suspects', 'always'));
