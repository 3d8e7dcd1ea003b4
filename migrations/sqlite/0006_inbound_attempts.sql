-- How often a stored body was taken up again: one that brings the process down each time is put aside.
alter table inbound_bodies add column attempts bigint not null default 0;

-- The place of a body in the order of arrival, which no jump of the clock disturbs.
alter table inbound_bodies add column place bigint not null default 0;
create index inbound_bodies_by_place on inbound_bodies (place);
