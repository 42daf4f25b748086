-- Metric points, each once (see 0002_views.sql). The day is a function of the key, so days need no merging of their own.
CREATE OR REPLACE VIEW metrics_number_v AS
SELECT * FROM metrics_number FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW metrics_histogram_v AS
SELECT * FROM metrics_histogram FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
