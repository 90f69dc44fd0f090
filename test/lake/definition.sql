-- The hourly statistics as they are defined (DESIGN 5, internal/usage), over
-- raw rows, written to be read and not to be fast. The result is `wanted`: one
-- row a figure, with its table, key, hour and column; NULL has no row.
--
-- Given are what was committed, in raw_pods, raw_nodes, raw_gpus, raw_engines;
-- the hours in which there were snapshots of the cluster, in hours; prices, in
-- gpu_prices (gpu_product, price) and the variables core_price, gib_price and
-- priced; and the variables interval_ms and now.

CREATE MACRO increase(before, reading) AS CASE WHEN reading < before THEN reading ELSE reading - before END;

-- A row that lies in two objects is one row.
CREATE TABLE nodes AS SELECT DISTINCT * FROM raw_nodes;
CREATE TABLE gpus AS SELECT DISTINCT * FROM raw_gpus;
CREATE TABLE engines AS SELECT DISTINCT * FROM raw_engines;

-- Pods have the figures of the devices that NVML saw them hold, if it saw all
-- that they request. The tests let no NVML device be shared.
CREATE TABLE pods AS
WITH held AS (
    SELECT ts, node, namespace, pod, count(*) AS devices, count(mig_instance) AS instances,
        CASE WHEN instances = 0 THEN avg(util_percent)
            WHEN devices = 1 THEN any_value(util_percent)
            WHEN instances = devices THEN sum(util_percent * mig_profile[1]::INT) / sum(mig_profile[1]::INT) FILTER (util_percent IS NOT NULL) END AS util,
        CASE WHEN count(memory_used_bytes) = devices THEN sum(memory_used_bytes) END AS memory,
        CASE WHEN count(power_watts) = devices AND instances = 0 THEN sum(power_watts) END AS power
    FROM gpus WHERE source = 'nvml' AND pod IS NOT NULL GROUP BY ALL)
SELECT p.* REPLACE (coalesce(gpu_util_percent, util) AS gpu_util_percent, coalesce(gpu_memory_used_bytes, memory) AS gpu_memory_used_bytes,
    coalesce(gpu_power_watts, power) AS gpu_power_watts)
FROM (SELECT DISTINCT * FROM raw_pods) p LEFT JOIN held h
    ON h.ts = p.ts AND h.node = p.node AND h.namespace = p.namespace AND h.pod = p.pod
    AND gpu_attribution = 'unknown' AND devices >= gpu_request AND phase NOT IN ('Succeeded', 'Failed');

-- How long each instant stands within each hour. One of the hour before may
-- reach into it; one that stands for no time does not bear on it.
CREATE TABLE bearing AS
WITH instants AS (SELECT DISTINCT ts, epoch_ms(ts) AS ms FROM nodes),
ends AS (
    SELECT hour, epoch_ms(hour) AS starts, CASE WHEN getvariable('now') >= hour + INTERVAL 1 HOUR THEN starts + 3600000
        ELSE least(starts + 3600000, max(ms) + getvariable('interval_ms')) END AS ends
    FROM hours JOIN instants ON ms < epoch_ms(hour) + 3600000 GROUP BY hour),
spans AS (
    SELECT ts, ms AS starts, least(ms + 2 * getvariable('interval_ms'), lead(ms) OVER (ORDER BY ms)) AS ends FROM instants)
SELECT hour, ts, ts >= hour AS inside, h.ends - h.starts AS known_ms, least(s.ends, h.ends) - greatest(s.starts, h.starts) AS ms
FROM ends h JOIN spans s ON s.starts < h.ends AND s.ends > h.starts;

-- A card is read once an instant, however many instances repeat its figures.
CREATE TABLE cards AS
SELECT DISTINCT ON (gpu_uuid, ts) * FROM gpus ORDER BY gpu_uuid, ts, mig_instance NULLS FIRST;

-- What counters grew by, at the instant at which it was seen. The reading
-- before may lie anywhere in the instant's hour or the one before it; a smaller
-- one began anew. What
-- nodes say of their GPUs while nobody looks at the cluster is no reading.
CREATE TABLE growth AS
WITH readings AS (
    SELECT * FROM (SELECT pod_uid AS whose, ts, namespace, pod, COLUMNS('_(total|sum|count)$')::DOUBLE FROM engines)
        UNPIVOT INCLUDE NULLS (reading FOR counter IN (COLUMNS('_(total|sum|count)$')))
    UNION ALL BY NAME SELECT pod_uid AS whose, ts, namespace, pod, 'restarts' AS counter, restarts AS reading FROM pods
    UNION ALL BY NAME SELECT gpu_uuid AS whose, ts, node, 'energy_millijoules' AS counter, energy_millijoules_total AS reading,
        CASE WHEN mig_instance IS NULL AND share_count = 1 THEN namespace END AS namespace,
        CASE WHEN mig_instance IS NULL AND share_count = 1 THEN pod END AS pod FROM cards),
steps AS (
    SELECT *, lag(reading) OVER series AS before, lag(ts) OVER series AS before_ts
    FROM readings SEMI JOIN nodes USING (ts) WINDOW series AS (PARTITION BY whose, counter ORDER BY ts))
SELECT hour, ts, inside, namespace, pod, node, counter, increase(before, reading) AS grown
FROM steps JOIN bearing USING (ts)
WHERE before_ts >= date_trunc('hour', ts) - INTERVAL 1 HOUR AND increase(before, reading) IS NOT NULL;

-- Whether an engine worked, as far as its queue or its counters tell.
CREATE TABLE work AS
SELECT hour, ts, namespace, pod, bool_or(requests_running > 0) AS queued, sum(grown) > 0 AS moved,
    CASE WHEN queued IS NULL THEN moved WHEN moved IS NULL THEN queued ELSE queued OR moved END AS works
FROM engines JOIN bearing USING (ts)
LEFT JOIN (FROM growth WHERE counter IN ('prompt_tokens_total', 'generation_tokens_total')) USING (hour, ts, namespace, pod)
GROUP BY ALL;

-- The GPU product that a node was labelled with. It is known for that hour and
-- the next.
CREATE TABLE labels AS SELECT node, ts AS label_ts, gpu_product AS product FROM nodes WHERE gpu_product IS NOT NULL;

-- What is so of a pod at an instant. The engine of one pod of a group speaks
-- for those that have none.
CREATE TABLE facts AS
WITH known AS (
    SELECT hour, p.*, inside, ms, phase IN ('Succeeded', 'Failed') AS ended,
        coalesce(works, bool_or(works) OVER (PARTITION BY hour, p.ts, p.namespace, coalesce('group ' || replica_group, 'pod ' || pod_uid))) AS works
    FROM pods p JOIN bearing USING (ts) LEFT JOIN work USING (hour, ts, namespace, pod))
SELECT k.*, k.node IS NOT NULL AND NOT ended AS placed,
    CASE WHEN NOT placed OR gpu_request = 0 THEN NULL
        WHEN NOT ready THEN 'loading'
        WHEN works OR (works IS NULL AND gpu_util_percent > 5) THEN 'active'
        WHEN works IS NULL AND gpu_util_percent IS NULL THEN 'unknown'
        ELSE 'idle_held' END AS state,
    CASE WHEN gpu_request > 0 THEN gpu_request * price ELSE 0 END
        + coalesce(coalesce(cpu_request_millicores, cpu_usage_millicores) / 1000 * getvariable('core_price'), 0)
        + coalesce(coalesce(memory_request_bytes, memory_usage_bytes) / 1073741824 * getvariable('gib_price'), 0) AS per_hour
FROM known k ASOF LEFT JOIN labels l ON k.node = l.node AND k.ts >= l.label_ts
LEFT JOIN gpu_prices ON product = gpu_product AND label_ts >= date_trunc('hour', ts) - INTERVAL 1 HOUR;

-- The keys that a pod counts for.
CREATE TABLE members AS
SELECT of.tbl AS tbl, of.key AS key, * EXCLUDE (of) FROM (
    SELECT hour, ts, inside, ms, namespace, pod, ended, placed, ready, replica_group, state, per_hour, gpu_request, gpu_util_percent, gpu_memory_used_bytes,
        gpu_power_watts, cpu_usage_millicores, cpu_request_millicores, memory_usage_bytes, memory_request_bytes, unnest([
            {'tbl': 'pods', 'key': concat_ws(' ', namespace, pod, pod_uid)},
            {'tbl': 'namespaces', 'key': namespace},
            {'tbl': 'workloads', 'key': concat_ws(' ', namespace, CASE WHEN owner IS NULL THEN 'Pod' ELSE coalesce(owner_kind, 'Pod') END,
                CASE WHEN owner_kind IS NULL THEN pod ELSE coalesce(owner, pod) END)},
            {'tbl': 'models', 'key': CASE WHEN engine <> '' THEN concat_ws(' ', namespace, engine, coalesce(model, '')) END},
            {'tbl': 'nodes', 'key': node},
            {'tbl': 'cluster', 'key': ''}]) AS of
    FROM facts)
WHERE of.key IS NOT NULL;

-- What nodes hold beside what they are known to have. A node whose devices
-- were lost has those that are held.
CREATE TABLE places AS
WITH held AS (SELECT hour, ts, node, sum(gpu_request) AS held FROM facts WHERE state IS NOT NULL GROUP BY ALL),
known AS (
    SELECT hour, inside, ms, n.*, CASE WHEN label_ts >= date_trunc('hour', ts) - INTERVAL 1 HOUR THEN product END AS product
    FROM nodes n JOIN bearing USING (ts) ASOF LEFT JOIN labels l ON n.node = l.node AND n.ts >= l.label_ts),
priced AS (
    SELECT known.*, greatest(gpu_allocatable, coalesce(held, 0)) AS gpus, gpus - coalesce(held, 0) AS unallocated,
        CASE WHEN gpus > 0 THEN gpus * price ELSE 0 END + coalesce(cpu_allocatable_millicores / 1000 * getvariable('core_price'), 0)
            + coalesce(memory_allocatable_bytes / 1073741824 * getvariable('gib_price'), 0) AS per_hour
    FROM known LEFT JOIN held USING (hour, ts, node) LEFT JOIN gpu_prices ON gpu_prices.gpu_product = product)
SELECT unnest(['nodes', 'cluster']) AS tbl, unnest([node, '']) AS key, * FROM priced;

CREATE TABLE devices AS
SELECT unnest(['nodes', 'cluster']) AS tbl, unnest([g.node, '']) AS key, hour, ms, g.* REPLACE (CASE WHEN cards.ts IS NOT NULL THEN g.power_watts END AS power_watts)
FROM gpus g JOIN bearing USING (ts)
LEFT JOIN cards ON cards.ts = g.ts AND cards.gpu_uuid = g.gpu_uuid AND cards.mig_instance IS NOT DISTINCT FROM g.mig_instance;

-- The measures at each instant: members add up, ratios are averaged.
CREATE TABLE measures AS
WITH of_pods AS (
    SELECT tbl, key, hour, ts, ms,
        sum(cpu_usage_millicores)::DOUBLE AS cpu_usage_millicores, sum(memory_usage_bytes)::DOUBLE AS memory_usage_bytes,
        sum(gpu_util_percent * gpu_request) FILTER (gpu_request > 0) / sum(gpu_request) FILTER (gpu_request > 0 AND gpu_util_percent IS NOT NULL) AS gpu_util_percent,
        sum(gpu_memory_used_bytes)::DOUBLE AS gpu_memory_used_bytes, sum(gpu_power_watts) AS gpu_power_watts,
        (count(*) FILTER (NOT ended))::DOUBLE AS pods,
        (count(*) FILTER (ready AND replica_group IS NULL) + count(DISTINCT (namespace, replica_group)) FILTER (ready AND replica_group IS NOT NULL))::DOUBLE AS replicas,
        (sum(cpu_request_millicores) FILTER (NOT ended))::DOUBLE AS cpu_request_millicores,
        (sum(memory_request_bytes) FILTER (NOT ended))::DOUBLE AS memory_request_bytes
    FROM members WHERE tbl <> 'nodes' GROUP BY ALL),
of_engines AS (
    SELECT tbl, key, hour, ts, ms, sum(requests_running)::DOUBLE AS requests_running, sum(requests_waiting)::DOUBLE AS requests_waiting,
        avg(kv_cache_usage_ratio) AS kv_cache_usage_ratio
    FROM members JOIN engines USING (ts, namespace, pod) GROUP BY ALL),
of_nodes AS (
    SELECT tbl, key, hour, ts, ms, sum(cpu_usage_millicores)::DOUBLE AS cpu_usage_millicores, sum(memory_usage_bytes)::DOUBLE AS memory_usage_bytes,
        sum(cpu_requested_millicores)::DOUBLE AS cpu_request_millicores, sum(memory_requested_bytes)::DOUBLE AS memory_request_bytes,
        (CASE WHEN tbl = 'nodes' THEN sum(pods_running) END)::DOUBLE AS pods
    FROM places GROUP BY tbl, key, hour, ts, ms),
of_devices AS (
    SELECT tbl, key, hour, ts, ms, avg(util_percent) AS gpu_util_percent, sum(memory_used_bytes)::DOUBLE AS gpu_memory_used_bytes, sum(power_watts) AS gpu_power_watts
    FROM devices GROUP BY ALL)
FROM (UNPIVOT of_pods ON COLUMNS(* EXCLUDE (tbl, key, hour, ts, ms)) INTO NAME measure VALUE v) WHERE tbl <> 'cluster' OR measure IN ('pods', 'replicas')
UNION ALL FROM (UNPIVOT of_engines ON COLUMNS(* EXCLUDE (tbl, key, hour, ts, ms)) INTO NAME measure VALUE v)
UNION ALL FROM (UNPIVOT of_nodes ON COLUMNS(* EXCLUDE (tbl, key, hour, ts, ms)) INTO NAME measure VALUE v)
UNION ALL FROM (UNPIVOT of_devices ON COLUMNS(* EXCLUDE (tbl, key, hour, ts, ms)) INTO NAME measure VALUE v);

-- Their hour: a percentile is the smallest value that, with all that are
-- smaller, stands for that share of the measured time.
CREATE TABLE distributions AS
WITH covered AS (
    SELECT *, sum(ms) OVER (PARTITION BY tbl, key, hour, measure ORDER BY v) AS up_to_v, sum(ms) OVER (PARTITION BY tbl, key, hour, measure) AS measured
    FROM measures)
SELECT tbl, key, hour, measure, sum(v * ms) / sum(ms) AS avg, min(v) FILTER (100 * up_to_v >= 50 * measured) AS p50,
    min(v) FILTER (100 * up_to_v >= 95 * measured) AS p95, max(v) AS max
FROM covered GROUP BY ALL;

-- What adds up over the hour.
CREATE TABLE sums AS
WITH hours AS (
    SELECT tbl, key, hour, state, sum(gpu_request * ms) / 3600000 AS hours FROM members WHERE state IS NOT NULL GROUP BY ALL
    UNION ALL SELECT tbl, key, hour, 'unallocated', sum(unallocated * ms) / 3600000 FROM places WHERE gpus > 0 GROUP BY ALL),
costs AS (
    SELECT tbl, key, hour, per_hour, ms FROM members WHERE placed AND tbl NOT IN ('nodes', 'cluster')
    UNION ALL SELECT tbl, key, hour, per_hour, ms FROM places),
grown AS (
    SELECT tbl, key, hour, counter, grown FROM members JOIN growth USING (hour, ts, namespace, pod)
    WHERE growth.inside AND (counter <> 'energy_millijoules' OR tbl NOT IN ('nodes', 'cluster'))
    UNION ALL SELECT unnest(['nodes', 'cluster']), unnest([node, '']), hour, counter, grown
    FROM growth WHERE inside AND counter = 'energy_millijoules')
SELECT tbl, key, hour, 'gpu_hours_' || state AS sum, hours AS v FROM hours
UNION ALL SELECT tbl, key, hour, 'cost', sum(per_hour * ms) / 3600000 FROM costs GROUP BY ALL
    HAVING count(per_hour) = count(*) AND getvariable('priced')
UNION ALL SELECT tbl, key, hour, regexp_replace(counter, '_total$', ''), sum(grown)::DOUBLE FROM grown GROUP BY ALL;

CREATE TABLE wanted AS
WITH keys AS (
    SELECT tbl, key, hour, count(DISTINCT ts) FILTER (inside) AS samples FROM (
        SELECT tbl, key, hour, ts, inside FROM members WHERE tbl NOT IN ('nodes', 'cluster')
        UNION ALL SELECT tbl, key, hour, ts, inside FROM places
        UNION ALL SELECT tbl, key, hour, ts, false FROM members WHERE tbl = 'nodes'
        UNION ALL SELECT tbl, key, hour, ts, false FROM devices) GROUP BY ALL),
plain AS (
    SELECT tbl, key, hour, measure || '_' || name AS name, v FROM (UNPIVOT distributions ON avg, p50, p95, max INTO NAME name VALUE v)
    UNION ALL SELECT tbl, key, hour, sum, v FROM sums
    UNION ALL SELECT tbl, key, hour, 'samples', samples FROM keys
    UNION ALL SELECT DISTINCT tbl, key, hour, 'expected_samples', ceil(known_ms / getvariable('interval_ms')) FROM keys JOIN bearing USING (hour)),
maps AS (SELECT tbl, key, hour, map_from_entries(list((name, v))) AS m FROM plain GROUP BY ALL),
derived AS (
    SELECT tbl, key, hour,
        len(list_filter(map_keys(m), lambda name: name LIKE 'gpu_hours_%')) > 0 AS has_gpus,
        CASE WHEN has_gpus THEN coalesce(m['gpu_hours_active'], 0) END AS gpu_hours_active,
        CASE WHEN has_gpus THEN coalesce(m['gpu_hours_idle_held'], 0) END AS gpu_hours_idle_held,
        CASE WHEN has_gpus THEN coalesce(m['gpu_hours_loading'], 0) END AS gpu_hours_loading,
        CASE WHEN has_gpus THEN coalesce(m['gpu_hours_unknown'], 0) END AS gpu_hours_unknown,
        gpu_hours_active + gpu_hours_idle_held + gpu_hours_loading + gpu_hours_unknown AS gpu_hours_allocated,
        CASE WHEN tbl IN ('nodes', 'cluster') THEN gpu_hours_allocated + coalesce(m['gpu_hours_unallocated'], 0) END AS gpu_hours_total,
        coalesce(m['prompt_tokens'] + m['generation_tokens'], m['prompt_tokens'], m['generation_tokens']) AS tokens,
        tokens / nullif(gpu_hours_allocated, 0) AS tokens_per_gpu_hour,
        tokens / nullif(m['energy_millijoules'], 0) * 3.6e9 AS tokens_per_kilowatt_hour,
        m['ttft_seconds_sum'] / nullif(m['ttft_seconds_count'], 0) AS ttft_seconds_avg,
        m['inter_token_seconds_sum'] / nullif(m['inter_token_seconds_count'], 0) AS inter_token_seconds_avg,
        m['e2e_seconds_sum'] / nullif(m['e2e_seconds_count'], 0) AS e2e_seconds_avg,
        100 * m['cpu_usage_millicores_p95'] / nullif(m['cpu_request_millicores_avg'], 0) AS cpu_p95_of_request_percent,
        100 * m['memory_usage_bytes_p95'] / nullif(m['memory_request_bytes_avg'], 0) AS memory_p95_of_request_percent
    FROM maps)
SELECT tbl, key, hour, name, v FROM plain WHERE name NOT LIKE 'gpu_hours_%' OR name = 'gpu_hours_unallocated'
UNION ALL SELECT tbl, key, hour, name, v FROM (UNPIVOT (SELECT * EXCLUDE has_gpus FROM derived) ON COLUMNS(* EXCLUDE (tbl, key, hour)) INTO NAME name VALUE v)
-- The attributes that a row bears beside its key are those of the last instant.
UNION ALL SELECT 'pods', concat_ws(' ', namespace, pod, pod_uid), hour, 'of ' || arg_max([node, engine, model], ts)::VARCHAR, 1 FROM facts GROUP BY ALL
UNION ALL SELECT 'nodes', key, k.hour, 'of ' || [arg_max(product, label_ts)]::VARCHAR, 1
FROM keys k LEFT JOIN labels ON key = node AND label_ts BETWEEN k.hour - INTERVAL 1 HOUR AND (SELECT max(ts) FROM bearing b WHERE b.hour = k.hour)
WHERE tbl = 'nodes' GROUP BY key, k.hour;
