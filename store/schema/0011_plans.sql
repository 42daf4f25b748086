-- Steps of declared plans, and those that were followed, beside the other measures of a trajectory.
ALTER TABLE task_findings ADD COLUMN IF NOT EXISTS planned_steps UInt32 AFTER broken_order_rules;
ALTER TABLE task_findings ADD COLUMN IF NOT EXISTS followed_steps UInt32 AFTER planned_steps;
