-- Spans have some hundred columns. An insert of a few thousand of them is a part beyond the 10 MB at which a part gets a
-- file or two per column by default, each fsynced before the insert is answered: in one file the same insert took half
-- of the CPU and a third of the time. What merges make of it is wide again from 128 MiB on.
ALTER TABLE spans MODIFY SETTING min_bytes_for_wide_part = 134217728;

ALTER TABLE logs MODIFY SETTING min_bytes_for_wide_part = 134217728;
