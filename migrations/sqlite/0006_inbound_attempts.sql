-- How often a stored body was taken up again: one that brings the process down each time is put aside.
alter table inbound_bodies add column attempts bigint not null default 0;
