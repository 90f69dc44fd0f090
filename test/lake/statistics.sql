-- The hourly statistics as an analyst would compute them in DuckDB who cares
-- about time: of one regular hour, in which every sample stands for as long as
-- any other, so that means and percentiles need no weights, and without prices.
-- The pods are read once for each pod and once for each workload and instant;
-- what few pods have (GPUs, engines, groups, restarts) is computed from those.
--
-- Given are raw_pods, raw_nodes, raw_gpus and raw_engines of that hour alone,
-- and the variable hour. What comes of it is the table statistics: the rows of
-- all hourly tables, each with the kind of its key, which names its table.

CREATE MACRO grown(before, now) AS CASE WHEN now < before THEN now ELSE now - before END;
CREATE MACRO alive(phase) AS phase NOT IN ('Succeeded', 'Failed');
CREATE MACRO kind_of(owner_kind, owner) AS CASE WHEN owner IS NULL THEN 'Pod' ELSE coalesce(owner_kind, 'Pod') END;
CREATE MACRO owner_of(owner_kind, owner, pod) AS CASE WHEN owner_kind IS NULL THEN pod ELSE coalesce(owner, pod) END;
CREATE MACRO kind(bits) AS CASE bits WHEN 7 THEN 'pods' WHEN 11 THEN 'workloads' WHEN 13 THEN 'models' WHEN 15 THEN 'namespaces' WHEN 30 THEN 'nodes' WHEN 31 THEN 'cluster' END;

CREATE TABLE instants AS
SELECT ts, epoch_ms(least(coalesce(lead(ts) OVER (ORDER BY ts), ts + INTERVAL 60 SECOND), ts + INTERVAL 60 SECOND, getvariable('hour') + INTERVAL 1 HOUR)) - epoch_ms(ts) AS ms
FROM (SELECT DISTINCT ts FROM raw_nodes);
SELECT CASE WHEN min(ms) <> max(ms) THEN error('without weights, samples must stand for equal times') END FROM instants;
SET VARIABLE hours = (SELECT max(ms) / 3.6e6 FROM instants);
SET VARIABLE expected = (SELECT ceil(sum(ms) / 30000)::INT FROM instants);

-- Engines: gauges, and what counters grew by.
CREATE TABLE engine_steps AS
SELECT ts, namespace, pod, requests_running, requests_waiting, kv_cache_usage_ratio,
    grown(lag(prompt_tokens_total) OVER of_pod, prompt_tokens_total) AS prompt_tokens,
    grown(lag(generation_tokens_total) OVER of_pod, generation_tokens_total) AS generation_tokens,
    grown(lag(requests_total) OVER of_pod, requests_total) AS requests,
    grown(lag(preemptions_total) OVER of_pod, preemptions_total) AS preemptions,
    grown(lag(prefix_cache_queries_total) OVER of_pod, prefix_cache_queries_total) AS prefix_cache_queries,
    grown(lag(prefix_cache_hits_total) OVER of_pod, prefix_cache_hits_total) AS prefix_cache_hits,
    grown(lag(ttft_seconds_sum) OVER of_pod, ttft_seconds_sum) AS ttft_sum,
    grown(lag(ttft_seconds_count) OVER of_pod, ttft_seconds_count) AS ttft_count,
    grown(lag(inter_token_seconds_sum) OVER of_pod, inter_token_seconds_sum) AS inter_token_sum,
    grown(lag(inter_token_seconds_count) OVER of_pod, inter_token_seconds_count) AS inter_token_count,
    grown(lag(e2e_seconds_sum) OVER of_pod, e2e_seconds_sum) AS e2e_sum,
    grown(lag(e2e_seconds_count) OVER of_pod, e2e_seconds_count) AS e2e_count
FROM raw_engines WINDOW of_pod AS (PARTITION BY pod_uid ORDER BY ts);

-- Cards: one reading an instant, however many instances repeat it.
CREATE TABLE card_steps AS
SELECT ts, node, power_watts, namespace, pod, grown(lag(energy_millijoules_total) OVER of_card, energy_millijoules_total) AS energy_millijoules
FROM (
    SELECT ts, node, gpu_uuid, power_watts, energy_millijoules_total,
        CASE WHEN share_count = 1 THEN namespace END AS namespace, CASE WHEN share_count = 1 THEN pod END AS pod
    FROM raw_gpus WHERE mig_instance IS NULL
    UNION ALL
    SELECT ts, node, gpu_uuid, any_value(power_watts), any_value(energy_millijoules_total), NULL, NULL
    FROM raw_gpus WHERE mig_instance IS NOT NULL GROUP BY ts, node, gpu_uuid)
WINDOW of_card AS (PARTITION BY gpu_uuid ORDER BY ts);

-- Pods that have to do with GPUs, engines or groups.
CREATE TABLE rare AS
WITH energies AS (SELECT ts, namespace, pod, sum(energy_millijoules) AS energy_millijoules FROM card_steps WHERE pod IS NOT NULL GROUP BY ALL),
joined AS (
    SELECT p.*, e.* EXCLUDE (ts, namespace, pod), energy_millijoules,
        CASE WHEN requests_running IS NOT NULL OR prompt_tokens IS NOT NULL OR generation_tokens IS NOT NULL
            THEN coalesce(requests_running, 0) > 0 OR coalesce(prompt_tokens, 0) + coalesce(generation_tokens, 0) > 0 END AS own_work
    FROM (
        SELECT ts, namespace, pod_uid, pod, node, kind_of(owner_kind, owner) AS owner_kind, owner_of(owner_kind, owner, pod) AS owner, engine, coalesce(model, '') AS model,
            replica_group, ready, alive(phase) AS alive, gpu_request, gpu_util_percent, gpu_memory_used_bytes, gpu_power_watts
        FROM raw_pods WHERE gpu_request > 0 OR engine <> '' OR replica_group IS NOT NULL) p
    LEFT JOIN engine_steps e USING (ts, namespace, pod) LEFT JOIN energies USING (ts, namespace, pod)),
groups AS (SELECT ts, namespace, replica_group, bool_or(own_work) AS group_work FROM joined WHERE replica_group IS NOT NULL GROUP BY ALL)
SELECT j.*, coalesce(own_work, group_work) AS works,
    CASE WHEN gpu_request = 0 OR node IS NULL OR NOT alive THEN NULL
        WHEN NOT ready THEN 'loading'
        WHEN works THEN 'active'
        WHEN works IS NOT NULL THEN 'idle_held'
        WHEN gpu_util_percent IS NULL THEN 'unknown'
        WHEN gpu_util_percent > 5 THEN 'active'
        ELSE 'idle_held' END AS state
FROM joined j LEFT JOIN groups USING (ts, namespace, replica_group);
DROP TABLE engine_steps;

CREATE TABLE each_pod AS
SELECT pod_uid, any_value(namespace) AS namespace, any_value(pod) AS pod, arg_max(node, ts) AS node, arg_max(engine, ts) AS engine, arg_max(model, ts) AS model,
    count(*)::INT AS samples, min(restarts) <> max(restarts) AS restarted,
    avg(COLUMNS('^(cpu_usage_millicores|memory_usage_bytes)$')) AS '\0_avg', quantile_disc(COLUMNS('^(cpu_usage_millicores|memory_usage_bytes)$'), [0.5, 0.95]) AS '\0_q',
    max(COLUMNS('^(cpu_usage_millicores|memory_usage_bytes)$')) AS '\0_max',
    avg(cpu_request_millicores) FILTER (alive(phase)) AS cpu_request_millicores_avg, avg(memory_request_bytes) FILTER (alive(phase)) AS memory_request_bytes_avg,
    count(*) FILTER (alive(phase)) / count(*) AS pods_avg, count(*) FILTER (ready) / count(*) AS replicas_avg
FROM raw_pods GROUP BY pod_uid;

-- What adds up over the hour, and what there is at each instant, for each kind
-- of key. What a key does not name is NULL.
CREATE TABLE sums AS
SELECT kind(grouping(namespace, pod_uid, owner, model, node)) AS kind, namespace, pod_uid, owner_kind, owner, engine, model, node, count(state) > 0 AS held,
    sum(gpu_request) FILTER (state = 'active') AS active, sum(gpu_request) FILTER (state = 'idle_held') AS idle_held,
    sum(gpu_request) FILTER (state = 'loading') AS loading, sum(gpu_request) FILTER (state = 'unknown') AS unknown,
    sum(COLUMNS('^(prompt_tokens|generation_tokens|requests|preemptions|prefix_cache_queries|prefix_cache_hits|energy_millijoules)$')),
    sum(ttft_sum) / nullif(sum(ttft_count), 0) AS ttft_seconds_avg, sum(inter_token_sum) / nullif(sum(inter_token_count), 0) AS inter_token_seconds_avg,
    sum(e2e_sum) / nullif(sum(e2e_count), 0) AS e2e_seconds_avg
FROM rare GROUP BY GROUPING SETS ((namespace, pod_uid), (namespace, owner_kind, owner), (namespace, engine, model), (namespace), (node), ());

CREATE TABLE restart_sums AS
WITH steps AS (
    SELECT namespace, pod_uid, kind_of(owner_kind, owner) AS owner_kind, owner_of(owner_kind, owner, pod) AS owner, engine, coalesce(model, '') AS model, node,
        grown(lag(restarts) OVER of_container, restarts) AS restarts
    FROM raw_pods WHERE pod_uid IN (SELECT pod_uid FROM each_pod WHERE restarted) WINDOW of_container AS (PARTITION BY pod_uid ORDER BY ts))
SELECT kind(grouping(namespace, pod_uid, owner, model, node)) AS kind, namespace, pod_uid, owner_kind, owner, engine, model, node, sum(restarts) AS restarts
FROM steps GROUP BY GROUPING SETS ((namespace, pod_uid), (namespace, owner_kind, owner), (namespace, engine, model), (namespace), (node), ());

CREATE TABLE rare_instants AS
SELECT kind(grouping(namespace, pod_uid, owner, model, node)) AS kind, namespace, pod_uid, owner_kind, owner, engine, model, node, ts,
    sum(gpu_util_percent * gpu_request) FILTER (gpu_request > 0) / sum(gpu_request) FILTER (gpu_request > 0 AND gpu_util_percent IS NOT NULL) AS gpu_util_percent,
    sum(gpu_memory_used_bytes)::BIGINT AS gpu_memory_used_bytes, sum(gpu_power_watts) AS gpu_power_watts, sum(requests_running)::BIGINT AS requests_running,
    sum(requests_waiting)::BIGINT AS requests_waiting, avg(kv_cache_usage_ratio) AS kv_cache_usage_ratio,
    count(DISTINCT namespace || '/' || replica_group) FILTER (ready) AS groups, sum(gpu_request) FILTER (state IS NOT NULL) AS held
FROM rare GROUP BY GROUPING SETS ((namespace, pod_uid, ts), (namespace, owner_kind, owner, ts), (namespace, engine, model, ts), (namespace, ts), (node, ts), (ts));
DROP TABLE rare;

CREATE TABLE common_instants AS
WITH of_workloads AS (
    SELECT ts, namespace, kind_of(owner_kind, owner) AS owner_kind, owner_of(owner_kind, owner, pod) AS owner, engine, coalesce(model, '') AS model,
        sum(cpu_usage_millicores)::BIGINT AS cpu_usage_millicores, sum(memory_usage_bytes)::BIGINT AS memory_usage_bytes,
        sum(cpu_request_millicores) FILTER (alive(phase)) AS cpu_request_millicores, sum(memory_request_bytes) FILTER (alive(phase)) AS memory_request_bytes,
        count(*) FILTER (alive(phase)) AS pods, count(*) FILTER (ready AND replica_group IS NULL) AS replicas
    FROM raw_pods GROUP BY ALL)
SELECT CASE grouping(namespace, owner, model) WHEN 1 THEN 'workloads' WHEN 2 THEN 'models' WHEN 3 THEN 'namespaces' ELSE 'cluster' END AS kind,
    namespace, owner_kind, owner, engine, model, ts, sum(COLUMNS('^(cpu|memory)_'))::BIGINT, sum(pods)::BIGINT AS pods, sum(replicas)::BIGINT AS replicas
FROM of_workloads GROUP BY GROUPING SETS ((namespace, owner_kind, owner, ts), (namespace, engine, model, ts), (namespace, ts), (ts));

CREATE TABLE node_instants AS
WITH cards AS (SELECT node, ts, sum(power_watts) AS gpu_power_watts, sum(energy_millijoules) AS energy_millijoules FROM card_steps GROUP BY ALL),
devices AS (SELECT node, ts, sum(util_percent) AS util, count(util_percent) AS utils, sum(memory_used_bytes)::BIGINT AS gpu_memory_used_bytes FROM raw_gpus GROUP BY ALL)
SELECT node, ts, gpu_product, n.cpu_usage_millicores, n.memory_usage_bytes, cpu_requested_millicores AS cpu_request_millicores, memory_requested_bytes AS memory_request_bytes,
    pods_running AS pods, util, utils, d.gpu_memory_used_bytes, cards.gpu_power_watts, energy_millijoules, requests_running, requests_waiting, kv_cache_usage_ratio,
    CASE WHEN gpu_allocatable > 0 OR held > 0 THEN greatest(gpu_allocatable - coalesce(held, 0), 0) END AS unallocated
FROM raw_nodes n LEFT JOIN cards USING (node, ts) LEFT JOIN devices d USING (node, ts) LEFT JOIN (FROM rare_instants WHERE kind = 'nodes') USING (node, ts);
DROP TABLE card_steps;

CREATE VIEW all_instants AS
SELECT c.* REPLACE (replicas + coalesce(groups, 0) AS replicas), r.* EXCLUDE (kind, namespace, pod_uid, owner_kind, owner, engine, model, node, ts, groups, held)
FROM common_instants c LEFT JOIN rare_instants r ON r.kind = c.kind AND r.ts = c.ts AND r.namespace IS NOT DISTINCT FROM c.namespace
    AND r.owner_kind IS NOT DISTINCT FROM c.owner_kind AND r.owner IS NOT DISTINCT FROM c.owner AND r.engine IS NOT DISTINCT FROM c.engine AND r.model IS NOT DISTINCT FROM c.model
WHERE c.kind IN ('workloads', 'namespaces') OR c.engine <> ''
UNION ALL BY NAME SELECT * EXCLUDE (groups, held) FROM rare_instants WHERE kind = 'pods'
UNION ALL BY NAME SELECT 'nodes' AS kind, * EXCLUDE (gpu_product, util, utils), util / nullif(utils, 0) AS gpu_util_percent FROM node_instants
UNION ALL BY NAME SELECT 'cluster' AS kind, n.*, pods, replicas + coalesce(groups, 0) AS replicas, requests_running, requests_waiting, kv_cache_usage_ratio
FROM (
    SELECT ts, sum(COLUMNS('^(cpu|memory)_|_bytes$|^unallocated$|^energy'))::BIGINT, sum(gpu_power_watts) AS gpu_power_watts, sum(util) / nullif(sum(utils), 0) AS gpu_util_percent
    FROM node_instants GROUP BY ts) n
LEFT JOIN (FROM common_instants WHERE kind = 'cluster') USING (ts) LEFT JOIN (FROM rare_instants WHERE kind = 'cluster') USING (ts);

-- The hour of each key.
CREATE MACRO key(kind, namespace, pod_uid, owner_kind, owner, engine, model, node) AS concat_ws(' ', kind, namespace, pod_uid, owner_kind, owner, engine, model, node);
CREATE TABLE hours AS
WITH those AS (
    SELECT kind, namespace, pod_uid, owner_kind, owner, engine, model, node, count(*)::INT AS samples,
        avg(cpu_request_millicores) AS cpu_request_millicores_avg, avg(memory_request_bytes) AS memory_request_bytes_avg,
        sum(unallocated) AS unallocated, sum(energy_millijoules) AS devices_millijoules,
        avg(COLUMNS('^(cpu_usage|memory_usage|gpu|requests|kv|pods|replicas).*')) AS '\0_avg',
        quantile_disc(COLUMNS('^(cpu_usage|memory_usage|gpu|requests|kv|pods|replicas).*'), [0.5, 0.95]) AS '\0_q',
        max(COLUMNS('^(cpu_usage|memory_usage|gpu|requests|kv|pods|replicas).*')) AS '\0_max'
    FROM all_instants GROUP BY kind, namespace, pod_uid, owner_kind, owner, engine, model, node)
SELECT key(kind, namespace, pod_uid, owner_kind, owner, engine, model, node) AS key, * FROM those WHERE kind <> 'pods'
UNION ALL BY NAME
SELECT key('pods', namespace, pod_uid, NULL, NULL, NULL, NULL, NULL) AS key, 'pods' AS kind, e.*,
    [(pods_avg > 0.5)::INT, (pods_avg > 0.05)::INT] AS pods_q, (pods_avg > 0)::INT AS pods_max,
    [(replicas_avg > 0.5)::INT, (replicas_avg > 0.05)::INT] AS replicas_q, (replicas_avg > 0)::INT AS replicas_max, g.* EXCLUDE pod_uid
FROM each_pod e LEFT JOIN (SELECT pod_uid, COLUMNS('^(gpu|requests|kv)_') FROM those WHERE kind = 'pods') g USING (pod_uid);

CREATE TABLE statistics AS
WITH added AS (SELECT key(kind, namespace, pod_uid, owner_kind, owner, engine, model, node) AS key, * EXCLUDE (kind, namespace, pod_uid, owner_kind, owner, engine, model, node) FROM sums),
restarted AS (SELECT key(kind, namespace, pod_uid, owner_kind, owner, engine, model, node) AS key, restarts FROM restart_sums),
products AS (SELECT 'nodes ' || node AS key, max(gpu_product) AS gpu_product FROM raw_nodes GROUP BY node),
joined AS (
    SELECT * EXCLUDE restarts, coalesce(restarts, 0) AS restarts, CASE WHEN kind IN ('nodes', 'cluster') THEN devices_millijoules ELSE energy_millijoules END AS energy,
        CASE WHEN held OR unallocated IS NOT NULL THEN getvariable('hours') END AS hours,
        CASE WHEN prompt_tokens IS NULL THEN generation_tokens ELSE prompt_tokens + coalesce(generation_tokens, 0) END AS tokens
    FROM hours LEFT JOIN added USING (key) LEFT JOIN restarted USING (key) LEFT JOIN products USING (key))
SELECT getvariable('hour') AS hour, kind, namespace, pod, pod_uid, owner_kind, owner, engine, model, node, gpu_product, samples, getvariable('expected') AS expected_samples,
    COLUMNS('_avg$'), list_extract(COLUMNS('^(.*)_q$'), 1)::DOUBLE AS '\1_p50', list_extract(COLUMNS('^(.*)_q$'), 2)::DOUBLE AS '\1_p95', COLUMNS('_max$')::DOUBLE,
    100 * list_extract(cpu_usage_millicores_q, 2) / nullif(cpu_request_millicores_avg, 0) AS cpu_p95_of_request_percent,
    100 * list_extract(memory_usage_bytes_q, 2) / nullif(memory_request_bytes_avg, 0) AS memory_p95_of_request_percent,
    hours * coalesce(active, 0) AS gpu_hours_active, hours * coalesce(idle_held, 0) AS gpu_hours_idle_held, hours * coalesce(loading, 0) AS gpu_hours_loading,
    hours * coalesce(unknown, 0) AS gpu_hours_unknown, hours * unallocated AS gpu_hours_unallocated,
    gpu_hours_active + gpu_hours_idle_held + gpu_hours_loading + gpu_hours_unknown AS gpu_hours_allocated, gpu_hours_allocated + gpu_hours_unallocated AS gpu_hours_total,
    prompt_tokens, generation_tokens, requests, preemptions, prefix_cache_queries, prefix_cache_hits, energy AS energy_millijoules, restarts,
    tokens / nullif(gpu_hours_allocated, 0) AS tokens_per_gpu_hour, tokens / nullif(energy, 0) * 3.6e9 AS tokens_per_kilowatt_hour, NULL::DOUBLE AS cost
FROM joined;
