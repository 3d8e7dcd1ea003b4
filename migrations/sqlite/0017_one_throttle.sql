-- Tries of passwords and codes are counted with the limits (`limit_counts`); the table of their own is gone.
drop table throttles;
