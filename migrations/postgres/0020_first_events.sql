-- The events of a run's first turn, when they are few bytes: one row fewer for every run, and one place in an index.
-- `run_events` has all others. Their times count from `created_at`.
alter table runs add column first_events bytea;

-- Numbers that never come near two thousand million.
alter table runs alter column version type integer, alter column turns type integer, alter column events type integer;
alter table run_events alter column first_seq type integer, alter column count type integer;

-- Each status is added to at its end only, so nothing is gained by leaving room in the pages.
alter index runs_by_status set (fillfactor = 100);
alter index runs_by_workflow set (fillfactor = 100);
