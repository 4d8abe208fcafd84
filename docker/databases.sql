-- Beside the store's database: where `retail-datagen backfill --to postgresql://…/retail` writes.
CREATE DATABASE retail;
