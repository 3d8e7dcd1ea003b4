-- PostgreSQL has a second wall between workspaces here (its file of the same name); SQLite has none to build.
select 1;
