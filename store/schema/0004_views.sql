-- Views: applied again whenever this file changes. Readers see rows through these only, because the tables hold several
-- versions of a row until they are merged.

CREATE OR REPLACE VIEW spans_v AS SELECT * FROM spans FINAL;

CREATE OR REPLACE VIEW logs_v AS SELECT * FROM logs FINAL;

CREATE OR REPLACE VIEW messages_v AS SELECT * FROM messages FINAL;

-- The names and shapes of the Collector's ClickHouse exporter, which Grafana's trace panel and Explore read.
CREATE OR REPLACE VIEW otel_traces AS
SELECT
    start AS Timestamp,
    trace_id AS TraceId,
    span_id AS SpanId,
    parent_id AS ParentSpanId,
    trace_state AS TraceState,
    name AS SpanName,
    initcap(span_kind) AS SpanKind,
    service AS ServiceName,
    resource AS ResourceAttributes,
    scope_name AS ScopeName,
    scope_version AS ScopeVersion,
    attributes AS SpanAttributes,
    toUInt64(greatest(toUnixTimestamp64Nano(end) - toUnixTimestamp64Nano(start), 0)) AS Duration,
    initcap(status) AS StatusCode,
    status_message AS StatusMessage,
    `events.time` AS `Events.Timestamp`,
    `events.name` AS `Events.Name`,
    `events.attributes` AS `Events.Attributes`,
    `links.trace_id` AS `Links.TraceId`,
    `links.span_id` AS `Links.SpanId`,
    arrayMap(id -> '', `links.trace_id`) AS `Links.TraceState`,
    `links.attributes` AS `Links.Attributes`,
    project AS Project
FROM spans FINAL;

CREATE OR REPLACE VIEW otel_traces_trace_id_ts AS
SELECT
    trace_id AS TraceId,
    min(first) AS Start,
    max(last) AS End,
    project AS Project
FROM trace_bounds
GROUP BY project, trace_id;

-- The one definition of a task's state, outcome and cost. Callers use tasks_v (a range) or task_v (one id).
--
--   project    the tenant
--   only_task  '' for every task of the range, else the one id
--   from, to   tasks that count in [from, to): at their end, or at their last signal while open
--   now        the clock: abandoned and "quiet long enough" are never stored
--   prices_at  'as_of_call', 'today' or a date: which dated price a call has
--   what_if    '' or 'provider\0model': price every model call as if it had been this one
--
-- A row lies under the day of its start but counts at its end. Tasks may last 31 days (spans are kept for 30), so
-- the days from 31 before `from` are read. A verdict may precede its task by as long. Nothing in a task's row depends
-- on the range asked for.
CREATE OR REPLACE VIEW task_base_v AS
WITH
    -- 'provider\0model' -> (valid_from, priced, tiers, multipliers). Overrides come last, so that the last entry that
    -- holds at a time is the one that counts. A service tier of which an override says nothing costs as much relative
    -- to it as it does relative to the list.
    (
        SELECT mapFromArrays(groupArray(key), groupArray(history))
        FROM
        (
            SELECT
                concat(provider, '\0', model) AS key,
                argMaxIf(multipliers, valid_from, origin = 'list') AS listed,
                arrayMap(
                    entry -> (entry.1, entry.2, entry.3, mapUpdate(listed, entry.4)),
                    arraySort(
                        entry -> (indexOf(['list', 'file', 'api'], entry.5), entry.6, entry.1),
                        groupArray((valid_from, priced, tiers, multipliers, toString(origin), project != '*'))
                    )
                ) AS history
            FROM prices FINAL
            WHERE project IN ('*', {project:String}) AND priced = 1
            GROUP BY key
        )
    ) AS price_book,

    -- 'tool\0name' and 'human\0workflow' -> (valid_from, usd), in the same order
    (
        SELECT mapFromArrays(groupArray(key), groupArray(history))
        FROM
        (
            SELECT
                concat(kind, '\0', name) AS key,
                arraySort(
                    entry -> (indexOf(['file', 'api'], entry.3), entry.4, entry.1),
                    groupArray((valid_from, usd, toString(origin), project != '*'))
                ) AS history
            FROM rates FINAL
            WHERE project IN ('*', {project:String}) AND kind IN ('tool', 'human')
            GROUP BY key
        )
    ) AS rate_book,

    -- NULL: each call at its own start
    multiIf(
        {prices_at:String} = 'as_of_call', NULL,
        {prices_at:String} = 'today', {now:DateTime64(3)},
        parseDateTime64BestEffort(
            if({prices_at:String} IN ('as_of_call', 'today'), '2000-01-01', {prices_at:String}), 3, 'UTC'
        )
    ) AS priced_on,

    -- clamped to what a Date can hold
    toDate(greatest({from:DateTime64(3)}, toDateTime64('1970-02-02', 3, 'UTC')) - INTERVAL 31 DAY) AS first_day,
    toDate(least({to:DateTime64(3)}, toDateTime64('2149-06-06', 3, 'UTC'))) AS last_day,

    days_of_task AS
    (
        SELECT day FROM task_days WHERE project = {project:String} AND task_id = {only_task:String}
    ),

    -- Each verdict under the most specific name that it gives its task.
    verdicts AS
    (
        SELECT
            key, outcome, source, score, reason, by, at,
            multiIf(source = 'explicit', 3, source = 'feedback', 2, source = 'evaluation', 1, 0) AS weight,
            multiIf(
                task_id != '', ('task', task_id),
                response_id != '', ('response', response_id),
                trace_id != '', ('trace', trace_id),
                ref != '', ('ref', ref),
                ('session', session_id)
            ) AS name
        FROM outcomes FINAL
        WHERE project = {project:String}
          AND at >= {from:DateTime64(3)} - INTERVAL 62 DAY
          AND ({only_task:String} = '' OR task_id IN ('', {only_task:String}))
    ),

    -- Most verdicts name a task; the other names are looked for only when there are such verdicts.
    (SELECT groupUniqArray(name.1) FROM verdicts) AS kinds_of_names,

    named_tasks AS
    (
        SELECT
            task_id,
            started_at,
            arrayJoin(arrayConcat(
                [('task', task_id)],
                if(has(kinds_of_names, 'response'), arrayMap(id -> ('response', id), `calls.response_id`), []),
                if(has(kinds_of_names, 'trace'), arrayMap(id -> ('trace', id), trace_ids), []),
                if(has(kinds_of_names, 'ref'), [('ref', ref)], [])
            )) AS name
        FROM tasks FINAL
        WHERE project = {project:String}
          AND day >= first_day
          AND day <= last_day
          AND ({only_task:String} = '' OR (day IN days_of_task AND task_id = {only_task:String}))
    ),

    -- A session stands for its last task begun before the verdict, wherever that lies. The verdict comes along, so that it
    -- need not be joined again.
    named_sessions AS
    (
        SELECT
            argMax((task_id, started_at), (started_at, task_id)) AS last_task,
            verdicts.key AS key,
            any(verdicts.outcome) AS outcome,
            any(verdicts.source) AS source,
            any(verdicts.score) AS score,
            any(verdicts.reason) AS reason,
            any(verdicts.by) AS by,
            any(verdicts.at) AS at,
            any(verdicts.weight) AS weight
        FROM tasks FINAL
        INNER JOIN verdicts ON verdicts.name = ('session', tasks.session_id)
        WHERE project = {project:String}
          AND has(kinds_of_names, 'session')
          AND day >= first_day
          AND session_id != ''
          AND started_at <= verdicts.at
        GROUP BY verdicts.key
    ),

    matches AS
    (
        SELECT task_id, started_at, key, outcome, source, score, reason, by, at, weight
        FROM named_tasks INNER JOIN verdicts ON named_tasks.name = verdicts.name
        UNION ALL
        SELECT last_task.1, last_task.2, key, outcome, source, score, reason, by, at, weight FROM named_sessions
    ),

    judged AS
    (
        SELECT
            task_id,
            argMax((outcome, source, score, reason, by, at), (weight, at, key)) AS verdict
        FROM matches
        WHERE at >= started_at - INTERVAL 31 DAY
        GROUP BY task_id
    ),

    -- The price of each call, and in it the tier for the size of its request.
    arrayMap(
        (provider, model, start) -> arrayLast(
            entry -> entry.1 <= ifNull(priced_on, start),
            price_book[if({what_if:String} = '', concat(provider, '\0', model), {what_if:String})]
        ),
        `calls.provider`, `calls.name`, `calls.start`
    ) AS call_prices,
    arrayMap(
        (price, input) -> arrayLast(tier -> tier.1 <= ifNull(input, 0), price.3),
        call_prices, `calls.input_tokens`
    ) AS call_tiers,

    -- Usage is unknown when a count is missing that this kind of call must have, except that a request which failed
    -- before anything came back is known to cost nothing.
    arrayMap(
        (kind, input, output, error_by, ttft) -> multiIf(
            kind = 'tool', 'free',
            input IS NOT NULL AND (output IS NOT NULL OR kind != 'llm'), 'known',
            error_by != '' AND input IS NULL AND output IS NULL AND ttft IS NULL, 'free',
            'unknown'
        ),
        `calls.kind`, `calls.input_tokens`, `calls.output_tokens`, `calls.error_by`, `calls.ttft_ms`
    ) AS call_usage,

    -- What the service tier costs relative to its model's price; NULL where nobody has said. Another model is asked for
    -- at its list price when it has no such tier.
    arrayMap(service -> lower(service), `calls.service_tier`) AS call_services,
    arrayMap(
        (service, price) -> multiIf(
            mapContains(price.4, service), toNullable(price.4[service]),
            service IN ('', 'auto', 'default', 'standard', 'standard_only', 'on_demand', 'normal')
                OR {what_if:String} != '', 1,
            NULL
        ),
        call_services, call_prices
    ) AS call_factors,

    -- Canonical input includes what was read from and written to the cache; output includes reasoning.
    arrayMap(
        (usage, price, tier, service, factor, input, output, read, write, write_1h) -> multiIf(
            usage = 'free', toNullable(toFloat64(0)),
            usage = 'unknown' OR price.2 = 0, NULL,
            factor * (greatest(toInt64(ifNull(input, 0)) - toInt64(ifNull(read, 0)) - toInt64(ifNull(write, 0)), 0) * tier.2
                + ifNull(output, 0) * tier.3
                + greatest(toInt64(ifNull(write, 0)) - toInt64(ifNull(write_1h, 0)), 0) * tier.5
                + ifNull(write_1h, 0) * tier.6)
            + if(mapContains(price.4, concat(service, '.cache_read')), price.4[concat(service, '.cache_read')], factor)
                * ifNull(read, 0) * tier.4
        ),
        call_usage, call_prices, call_tiers, call_services, call_factors, `calls.input_tokens`, `calls.output_tokens`,
        `calls.cache_read_tokens`, `calls.cache_write_tokens`, `calls.cache_write_1h_tokens`
    ) AS call_costs,

    -- 'gpt-5 (scale)': the model has a price, this tier of it has none.
    arrayMap(
        (model, usage, price, service, factor) -> multiIf(
            usage != 'known', '',
            price.2 = 0 AND {what_if:String} != '', splitByChar('\0', {what_if:String})[2],
            price.2 = 0, if(model = '', 'unknown', model),
            factor IS NULL, concat(model, ' (', service, ')'),
            ''
        ),
        `calls.name`, call_usage, call_prices, call_services, call_factors
    ) AS unpriced_calls,

    -- What tools and people cost beside models, where there is a rate.
    arrayMap(
        (kind, name, start) -> if(kind != 'tool', 0., arrayLast(
            entry -> entry.1 <= ifNull(priced_on, start),
            rate_book[if(mapContains(rate_book, concat('tool\0', name)), concat('tool\0', name), 'tool\0')]
        ).2),
        `calls.kind`, `calls.name`, `calls.start`
    ) AS call_rates,
    concat('human\0', toString(workflow)) AS own_human_rate,
    rate_book[if(mapContains(rate_book, own_human_rate), own_human_rate, 'human\0')] AS human_rates,

    toUnixTimestamp64Milli({now:DateTime64(3)}) - toUnixTimestamp64Milli(last_signal_at) AS quiet_ms,

    -- workflow -> (success_when, and the seconds after which a running, queued or waiting task is abandoned)
    (
        SELECT mapFromArrays(
            groupArray(workflow),
            groupArray((
                toString(success_when), abandoned_running_s, abandoned_queued_s, abandoned_waiting_s
            ))
        )
        FROM workflow_settings FINAL
    ) AS settings_of,
    settings_of[if(mapContains(settings_of, toString(workflow)), toString(workflow), '*')] AS settings

SELECT
    -- Log records give it as it was written.
    tasks.* REPLACE (
        if(lower(tasks.traffic) IN ('live', 'shadow', 'eval', 'synthetic'), lower(tasks.traffic), 'unknown') AS traffic
    ),
    coalesce(ended_at, last_signal_at) AS counted_at,
    multiIf(
        declared_state IN ('done', 'failed', 'cancelled'), declared_state,
        declared_state = 'queued', if(quiet_ms > 1000 * if(settings.3 = 0, 24 * 3600, settings.3), 'abandoned', 'queued'),
        declared_state = 'waiting_for_approval',
            if(quiet_ms > 1000 * if(settings.4 = 0, 7 * 24 * 3600, settings.4), 'abandoned', 'waiting_for_approval'),
        declared_state IN ('', 'running') AND root_ended AND quiet_ms > 30000, if(root_error, 'failed', 'done'),
        quiet_ms > 1000 * if(settings.2 = 0, 3600, settings.2), 'abandoned',
        'running'
    ) AS state,
    multiIf(
        judged.verdict.1 != '', judged.verdict.1,
        state IN ('failed', 'abandoned'), 'failure',
        state = 'done' AND settings.1 = 'done', 'success',
        'unknown'
    ) AS outcome,
    if(judged.verdict.1 != '', judged.verdict.2, 'inferred') AS outcome_source,
    judged.verdict.3 AS outcome_score,
    judged.verdict.4 AS outcome_reason,
    judged.verdict.5 AS outcome_by,
    if(judged.verdict.1 != '', toNullable(judged.verdict.6), NULL) AS outcome_at,
    if(
        state IN ('queued', 'running', 'waiting_for_approval'),
        NULL,
        toNullable((toUnixTimestamp64Nano(counted_at) - toUnixTimestamp64Nano(started_at)) / 1e6)
    ) AS duration_ms,
    call_costs AS `calls.cost_usd`,
    -- Kahan's sum: 200,000 calls at 0.0035 are 700, not 699.9999999999218.
    arrayReduce('sumKahan', arrayMap(cost -> ifNull(cost, 0), call_costs)) AS cost_usd_known,
    if(has(call_costs, NULL), NULL, toNullable(cost_usd_known)) AS cost_usd,
    if(
        arrayExists(cost -> cost IS NOT NULL, `calls.cost_reported`),
        toNullable(arrayReduce('sumKahan', arrayMap(cost -> ifNull(cost, 0), `calls.cost_reported`))),
        NULL
    ) AS cost_usd_reported,
    unpriced_calls AS `calls.unpriced`,
    arraySort(arrayDistinct(arrayFilter(name -> name != '', unpriced_calls))) AS unpriced_models,
    toUInt32(countEqual(call_usage, 'unknown')) AS unmetered_calls,
    call_rates AS `calls.rate_usd`,
    if(
        arrayExists(key -> startsWith(key, 'tool\0'), mapKeys(rate_book)),
        toNullable(arrayReduce('sumKahan', call_rates)),
        NULL
    ) AS tool_cost_usd,
    if(
        empty(human_rates),
        NULL,
        toNullable(human_wait_ms / 60000 * arrayLast(entry -> entry.1 <= ifNull(priced_on, counted_at), human_rates).2)
    ) AS human_cost_usd,
    -- Derived again on a slower schedule than others (store/derive/pace.ts), and told.
    toUInt8(spans > 100000 OR last_signal_at > started_at + INTERVAL 30 DAY) AS oversized
FROM tasks FINAL
LEFT JOIN judged ON tasks.task_id = judged.task_id
WHERE project = {project:String}
  AND day >= first_day
  AND day <= last_day
  AND counted_at >= {from:DateTime64(3)}
  AND counted_at < {to:DateTime64(3)}
  AND ({only_task:String} = '' OR (day IN days_of_task AND tasks.task_id = {only_task:String}));

CREATE OR REPLACE VIEW tasks_v AS
SELECT *
FROM task_base_v(
    project = {project:String},
    only_task = '',
    from = {from:DateTime64(3)},
    to = {to:DateTime64(3)},
    now = {now:DateTime64(3)},
    prices_at = {prices_at:String},
    what_if = {what_if:String}
);

CREATE OR REPLACE VIEW task_v AS
SELECT *
FROM task_base_v(
    project = {project:String},
    only_task = {task_id:String},
    from = '1970-02-02 00:00:00.000',
    to = '2149-01-01 00:00:00.000',
    now = {now:DateTime64(3)},
    prices_at = {prices_at:String},
    what_if = ''
);

-- Metric points, each once. The day is a function of the key, so days need no merging of their own.
CREATE OR REPLACE VIEW metrics_number_v AS
SELECT * FROM metrics_number FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW metrics_histogram_v AS
SELECT * FROM metrics_histogram FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;
