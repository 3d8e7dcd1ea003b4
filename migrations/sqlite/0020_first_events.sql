-- The events of a run's first turn, when they are few bytes: one row fewer for every run, and one place in an index.
-- `run_events` has all others. Their times count from `created_at`.
alter table runs add column first_events blob;
