-- The bucket "file:///var/lake" for DuckDB 1.3 or newer, by k8s-monitor sql duckdb.
-- The views live as long as the session: start it with duckdb -init FILE. What is written later is seen, but a
-- table that has no object yet stays empty until FILE is read again.
SET TimeZone = 'UTC';

-- What an object's name says: its pattern, from the folder of its table, and its cluster, day and hour.
SET VARIABLE lake = '/var/lake/';
CREATE OR REPLACE TEMP MACRO objects(folder) AS getvariable('lake') || folder || '**/*.parquet';
CREATE OR REPLACE TEMP MACRO hour_of(file) AS
  regexp_replace(file, '^.*/cluster=([^/]+)/dt=([0-9-]{10})/(?:hh=)?([0-9]{2}).*$', '\1/\2/\3');
-- The pattern, if it matches something: read_parquet fails on one that does not.
CREATE OR REPLACE TEMP MACRO present(folder) AS
  (SELECT coalesce(list(DISTINCT objects(folder)), []) FROM glob(objects(folder)));

CREATE OR REPLACE TEMP MACRO read_nodes(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'ts': {name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL},
  'node': {name: 'node', type: 'VARCHAR', default_value: NULL},
  'ready': {name: 'ready', type: 'BOOLEAN', default_value: NULL},
  'unschedulable': {name: 'unschedulable', type: 'BOOLEAN', default_value: NULL},
  'roles': {name: 'roles', type: 'VARCHAR', default_value: NULL},
  'pressure': {name: 'pressure', type: 'VARCHAR', default_value: NULL},
  'instance_type': {name: 'instance_type', type: 'VARCHAR', default_value: NULL},
  'zone': {name: 'zone', type: 'VARCHAR', default_value: NULL},
  'kubelet_version': {name: 'kubelet_version', type: 'VARCHAR', default_value: NULL},
  'created_at': {name: 'created_at', type: 'TIMESTAMPTZ', default_value: NULL},
  'cpu_capacity_millicores': {name: 'cpu_capacity_millicores', type: 'BIGINT', default_value: NULL},
  'cpu_allocatable_millicores': {name: 'cpu_allocatable_millicores', type: 'BIGINT', default_value: NULL},
  'cpu_requested_millicores': {name: 'cpu_requested_millicores', type: 'BIGINT', default_value: NULL},
  'cpu_usage_millicores': {name: 'cpu_usage_millicores', type: 'BIGINT', default_value: NULL},
  'memory_capacity_bytes': {name: 'memory_capacity_bytes', type: 'BIGINT', default_value: NULL},
  'memory_allocatable_bytes': {name: 'memory_allocatable_bytes', type: 'BIGINT', default_value: NULL},
  'memory_requested_bytes': {name: 'memory_requested_bytes', type: 'BIGINT', default_value: NULL},
  'memory_usage_bytes': {name: 'memory_usage_bytes', type: 'BIGINT', default_value: NULL},
  'pods_allocatable': {name: 'pods_allocatable', type: 'INTEGER', default_value: NULL},
  'pods_running': {name: 'pods_running', type: 'INTEGER', default_value: NULL},
  'gpu_product': {name: 'gpu_product', type: 'VARCHAR', default_value: NULL},
  'gpu_allocatable': {name: 'gpu_allocatable', type: 'INTEGER', default_value: NULL},
  'gpu_requested': {name: 'gpu_requested', type: 'INTEGER', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_nodes ("ts" TIMESTAMPTZ, "node" VARCHAR, "ready" BOOLEAN, "unschedulable" BOOLEAN, "roles" VARCHAR, "pressure" VARCHAR, "instance_type" VARCHAR, "zone" VARCHAR, "kubelet_version" VARCHAR, "created_at" TIMESTAMPTZ, "cpu_capacity_millicores" BIGINT, "cpu_allocatable_millicores" BIGINT, "cpu_requested_millicores" BIGINT, "cpu_usage_millicores" BIGINT, "memory_capacity_bytes" BIGINT, "memory_allocatable_bytes" BIGINT, "memory_requested_bytes" BIGINT, "memory_usage_bytes" BIGINT, "pods_allocatable" INTEGER, "pods_running" INTEGER, "gpu_product" VARCHAR, "gpu_allocatable" INTEGER, "gpu_requested" INTEGER, filename VARCHAR);
SET VARIABLE nodes_objects = present('raw/v1/nodes/') || present('samples/v1/nodes/');
SET VARIABLE nodes_samples = present('samples/v1/nodes/');
SET VARIABLE nodes_hours = (SELECT coalesce(list(hour_of(file)), []) FROM glob(getvariable('nodes_samples')));
CREATE OR REPLACE TEMP VIEW nodes AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt, split_part(hour_of(filename), '/', 3) AS hh
  FROM query(if(len(getvariable('nodes_objects')) > 0, 'FROM read_nodes(getvariable(''nodes_objects''))', 'FROM no_nodes'))
  WHERE (contains(filename, '/samples/v1/nodes/') OR hour_of(filename) NOT IN (SELECT hour_of(file) FROM glob(getvariable('nodes_samples'))))
    AND (contains(filename, '/samples/v1/nodes/') OR NOT list_contains(getvariable('nodes_hours'), hour_of(filename)))
)
SELECT stored.*,
  CASE WHEN stored.cpu_allocatable_millicores > 0 THEN 100e0 * stored.cpu_usage_millicores / stored.cpu_allocatable_millicores END AS cpu_percent,
  CASE WHEN stored.memory_allocatable_bytes > 0 THEN 100e0 * stored.memory_usage_bytes / stored.memory_allocatable_bytes END AS memory_percent
FROM stored;

CREATE OR REPLACE TEMP MACRO read_pods(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'ts': {name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'pod': {name: 'pod', type: 'VARCHAR', default_value: NULL},
  'pod_uid': {name: 'pod_uid', type: 'VARCHAR', default_value: NULL},
  'node': {name: 'node', type: 'VARCHAR', default_value: NULL},
  'owner_kind': {name: 'owner_kind', type: 'VARCHAR', default_value: NULL},
  'owner': {name: 'owner', type: 'VARCHAR', default_value: NULL},
  'phase': {name: 'phase', type: 'VARCHAR', default_value: NULL},
  'reason': {name: 'reason', type: 'VARCHAR', default_value: NULL},
  'ready': {name: 'ready', type: 'BOOLEAN', default_value: NULL},
  'restarts': {name: 'restarts', type: 'INTEGER', default_value: NULL},
  'created_at': {name: 'created_at', type: 'TIMESTAMPTZ', default_value: NULL},
  'started_at': {name: 'started_at', type: 'TIMESTAMPTZ', default_value: NULL},
  'image': {name: 'image', type: 'VARCHAR', default_value: NULL},
  'engine': {name: 'engine', type: 'VARCHAR', default_value: NULL},
  'model': {name: 'model', type: 'VARCHAR', default_value: NULL},
  'model_path': {name: 'model_path', type: 'VARCHAR', default_value: NULL},
  'role': {name: 'role', type: 'VARCHAR', default_value: NULL},
  'replica_group': {name: 'replica_group', type: 'VARCHAR', default_value: NULL},
  'identified_by': {name: 'identified_by', type: 'VARCHAR', default_value: NULL},
  'cpu_usage_millicores': {name: 'cpu_usage_millicores', type: 'BIGINT', default_value: NULL},
  'cpu_request_millicores': {name: 'cpu_request_millicores', type: 'BIGINT', default_value: NULL},
  'cpu_limit_millicores': {name: 'cpu_limit_millicores', type: 'BIGINT', default_value: NULL},
  'memory_usage_bytes': {name: 'memory_usage_bytes', type: 'BIGINT', default_value: NULL},
  'memory_request_bytes': {name: 'memory_request_bytes', type: 'BIGINT', default_value: NULL},
  'memory_limit_bytes': {name: 'memory_limit_bytes', type: 'BIGINT', default_value: NULL},
  'gpu_request': {name: 'gpu_request', type: 'INTEGER', default_value: NULL},
  'gpu_util_percent': {name: 'gpu_util_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes': {name: 'gpu_memory_used_bytes', type: 'BIGINT', default_value: NULL},
  'gpu_memory_total_bytes': {name: 'gpu_memory_total_bytes', type: 'BIGINT', default_value: NULL},
  'gpu_power_watts': {name: 'gpu_power_watts', type: 'DOUBLE', default_value: NULL},
  'gpu_attribution': {name: 'gpu_attribution', type: 'VARCHAR', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_pods ("ts" TIMESTAMPTZ, "namespace" VARCHAR, "pod" VARCHAR, "pod_uid" VARCHAR, "node" VARCHAR, "owner_kind" VARCHAR, "owner" VARCHAR, "phase" VARCHAR, "reason" VARCHAR, "ready" BOOLEAN, "restarts" INTEGER, "created_at" TIMESTAMPTZ, "started_at" TIMESTAMPTZ, "image" VARCHAR, "engine" VARCHAR, "model" VARCHAR, "model_path" VARCHAR, "role" VARCHAR, "replica_group" VARCHAR, "identified_by" VARCHAR, "cpu_usage_millicores" BIGINT, "cpu_request_millicores" BIGINT, "cpu_limit_millicores" BIGINT, "memory_usage_bytes" BIGINT, "memory_request_bytes" BIGINT, "memory_limit_bytes" BIGINT, "gpu_request" INTEGER, "gpu_util_percent" DOUBLE, "gpu_memory_used_bytes" BIGINT, "gpu_memory_total_bytes" BIGINT, "gpu_power_watts" DOUBLE, "gpu_attribution" VARCHAR, filename VARCHAR);
SET VARIABLE pods_objects = present('raw/v1/pods/') || present('samples/v1/pods/');
SET VARIABLE pods_samples = present('samples/v1/pods/');
SET VARIABLE pods_hours = (SELECT coalesce(list(hour_of(file)), []) FROM glob(getvariable('pods_samples')));
CREATE OR REPLACE TEMP VIEW pods AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt, split_part(hour_of(filename), '/', 3) AS hh
  FROM query(if(len(getvariable('pods_objects')) > 0, 'FROM read_pods(getvariable(''pods_objects''))', 'FROM no_pods'))
  WHERE (contains(filename, '/samples/v1/pods/') OR hour_of(filename) NOT IN (SELECT hour_of(file) FROM glob(getvariable('pods_samples'))))
    AND (contains(filename, '/samples/v1/pods/') OR NOT list_contains(getvariable('pods_hours'), hour_of(filename)))
)
SELECT stored.*,
  100e0 * stored.cpu_usage_millicores /
  CASE WHEN stored.cpu_limit_millicores > 0 THEN stored.cpu_limit_millicores
       WHEN stored.cpu_request_millicores > 0 THEN stored.cpu_request_millicores
       WHEN nodes.cpu_allocatable_millicores > 0 THEN nodes.cpu_allocatable_millicores END AS cpu_percent,
  CASE WHEN stored.cpu_usage_millicores IS NOT NULL THEN
  CASE WHEN stored.cpu_limit_millicores > 0 THEN 'limit'
       WHEN stored.cpu_request_millicores > 0 THEN 'request'
       WHEN nodes.cpu_allocatable_millicores > 0 THEN 'node' END END AS cpu_basis,
  100e0 * stored.memory_usage_bytes /
  CASE WHEN stored.memory_limit_bytes > 0 THEN stored.memory_limit_bytes
       WHEN stored.memory_request_bytes > 0 THEN stored.memory_request_bytes
       WHEN nodes.memory_allocatable_bytes > 0 THEN nodes.memory_allocatable_bytes END AS memory_percent,
  CASE WHEN stored.memory_usage_bytes IS NOT NULL THEN
  CASE WHEN stored.memory_limit_bytes > 0 THEN 'limit'
       WHEN stored.memory_request_bytes > 0 THEN 'request'
       WHEN nodes.memory_allocatable_bytes > 0 THEN 'node' END END AS memory_basis,
  CASE WHEN stored.gpu_memory_total_bytes > 0 THEN 100e0 * stored.gpu_memory_used_bytes / stored.gpu_memory_total_bytes END AS gpu_memory_percent
FROM stored
LEFT JOIN nodes AS nodes ON nodes.cluster = stored.cluster AND nodes.dt = stored.dt AND nodes.hh = stored.hh
  AND nodes.ts = stored.ts AND nodes.node = stored.node;

CREATE OR REPLACE TEMP MACRO read_gpus(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'ts': {name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL},
  'node': {name: 'node', type: 'VARCHAR', default_value: NULL},
  'gpu_index': {name: 'gpu_index', type: 'INTEGER', default_value: NULL},
  'gpu_uuid': {name: 'gpu_uuid', type: 'VARCHAR', default_value: NULL},
  'gpu_product': {name: 'gpu_product', type: 'VARCHAR', default_value: NULL},
  'mig_profile': {name: 'mig_profile', type: 'VARCHAR', default_value: NULL},
  'mig_instance': {name: 'mig_instance', type: 'INTEGER', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'pod': {name: 'pod', type: 'VARCHAR', default_value: NULL},
  'container': {name: 'container', type: 'VARCHAR', default_value: NULL},
  'share_count': {name: 'share_count', type: 'INTEGER', default_value: NULL},
  'util_percent': {name: 'util_percent', type: 'DOUBLE', default_value: NULL},
  'util_source': {name: 'util_source', type: 'VARCHAR', default_value: NULL},
  'memory_used_bytes': {name: 'memory_used_bytes', type: 'BIGINT', default_value: NULL},
  'memory_total_bytes': {name: 'memory_total_bytes', type: 'BIGINT', default_value: NULL},
  'power_watts': {name: 'power_watts', type: 'DOUBLE', default_value: NULL},
  'energy_millijoules_total': {name: 'energy_millijoules_total', type: 'BIGINT', default_value: NULL},
  'temperature_celsius': {name: 'temperature_celsius', type: 'INTEGER', default_value: NULL},
  'sm_clock_mhz': {name: 'sm_clock_mhz', type: 'INTEGER', default_value: NULL},
  'xid_last': {name: 'xid_last', type: 'INTEGER', default_value: NULL},
  'source': {name: 'source', type: 'VARCHAR', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_gpus ("ts" TIMESTAMPTZ, "node" VARCHAR, "gpu_index" INTEGER, "gpu_uuid" VARCHAR, "gpu_product" VARCHAR, "mig_profile" VARCHAR, "mig_instance" INTEGER, "namespace" VARCHAR, "pod" VARCHAR, "container" VARCHAR, "share_count" INTEGER, "util_percent" DOUBLE, "util_source" VARCHAR, "memory_used_bytes" BIGINT, "memory_total_bytes" BIGINT, "power_watts" DOUBLE, "energy_millijoules_total" BIGINT, "temperature_celsius" INTEGER, "sm_clock_mhz" INTEGER, "xid_last" INTEGER, "source" VARCHAR, filename VARCHAR);
SET VARIABLE gpus_objects = present('raw/v1/gpus/') || present('samples/v1/gpus/');
SET VARIABLE gpus_samples = present('samples/v1/gpus/');
SET VARIABLE gpus_hours = (SELECT coalesce(list(hour_of(file)), []) FROM glob(getvariable('gpus_samples')));
CREATE OR REPLACE TEMP VIEW gpus AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt, split_part(hour_of(filename), '/', 3) AS hh
  FROM query(if(len(getvariable('gpus_objects')) > 0, 'FROM read_gpus(getvariable(''gpus_objects''))', 'FROM no_gpus'))
  WHERE (contains(filename, '/samples/v1/gpus/') OR hour_of(filename) NOT IN (SELECT hour_of(file) FROM glob(getvariable('gpus_samples'))))
    AND (contains(filename, '/samples/v1/gpus/') OR NOT list_contains(getvariable('gpus_hours'), hour_of(filename)))
)
SELECT stored.*,
  CASE WHEN stored.memory_total_bytes > 0 THEN 100e0 * stored.memory_used_bytes / stored.memory_total_bytes END AS gpu_memory_percent
FROM stored;

CREATE OR REPLACE TEMP MACRO read_engines(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'ts': {name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'pod': {name: 'pod', type: 'VARCHAR', default_value: NULL},
  'pod_uid': {name: 'pod_uid', type: 'VARCHAR', default_value: NULL},
  'engine': {name: 'engine', type: 'VARCHAR', default_value: NULL},
  'model': {name: 'model', type: 'VARCHAR', default_value: NULL},
  'requests_running': {name: 'requests_running', type: 'BIGINT', default_value: NULL},
  'requests_waiting': {name: 'requests_waiting', type: 'BIGINT', default_value: NULL},
  'kv_cache_usage_ratio': {name: 'kv_cache_usage_ratio', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens_total': {name: 'prompt_tokens_total', type: 'BIGINT', default_value: NULL},
  'generation_tokens_total': {name: 'generation_tokens_total', type: 'BIGINT', default_value: NULL},
  'requests_total': {name: 'requests_total', type: 'BIGINT', default_value: NULL},
  'preemptions_total': {name: 'preemptions_total', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries_total': {name: 'prefix_cache_queries_total', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits_total': {name: 'prefix_cache_hits_total', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_sum': {name: 'ttft_seconds_sum', type: 'DOUBLE', default_value: NULL},
  'ttft_seconds_count': {name: 'ttft_seconds_count', type: 'BIGINT', default_value: NULL},
  'inter_token_seconds_sum': {name: 'inter_token_seconds_sum', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_count': {name: 'inter_token_seconds_count', type: 'BIGINT', default_value: NULL},
  'e2e_seconds_sum': {name: 'e2e_seconds_sum', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_count': {name: 'e2e_seconds_count', type: 'BIGINT', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_engines ("ts" TIMESTAMPTZ, "namespace" VARCHAR, "pod" VARCHAR, "pod_uid" VARCHAR, "engine" VARCHAR, "model" VARCHAR, "requests_running" BIGINT, "requests_waiting" BIGINT, "kv_cache_usage_ratio" DOUBLE, "prompt_tokens_total" BIGINT, "generation_tokens_total" BIGINT, "requests_total" BIGINT, "preemptions_total" BIGINT, "prefix_cache_queries_total" BIGINT, "prefix_cache_hits_total" BIGINT, "ttft_seconds_sum" DOUBLE, "ttft_seconds_count" BIGINT, "inter_token_seconds_sum" DOUBLE, "inter_token_seconds_count" BIGINT, "e2e_seconds_sum" DOUBLE, "e2e_seconds_count" BIGINT, filename VARCHAR);
SET VARIABLE engines_objects = present('raw/v1/engines/') || present('samples/v1/engines/');
SET VARIABLE engines_samples = present('samples/v1/engines/');
SET VARIABLE engines_hours = (SELECT coalesce(list(hour_of(file)), []) FROM glob(getvariable('engines_samples')));
CREATE OR REPLACE TEMP VIEW engines AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt, split_part(hour_of(filename), '/', 3) AS hh
  FROM query(if(len(getvariable('engines_objects')) > 0, 'FROM read_engines(getvariable(''engines_objects''))', 'FROM no_engines'))
  WHERE (contains(filename, '/samples/v1/engines/') OR hour_of(filename) NOT IN (SELECT hour_of(file) FROM glob(getvariable('engines_samples'))))
    AND (contains(filename, '/samples/v1/engines/') OR NOT list_contains(getvariable('engines_hours'), hour_of(filename)))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_gaps(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'ts': {name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL},
  'source': {name: 'source', type: 'VARCHAR', default_value: NULL},
  'target': {name: 'target', type: 'VARCHAR', default_value: NULL},
  'reason': {name: 'reason', type: 'VARCHAR', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_gaps ("ts" TIMESTAMPTZ, "source" VARCHAR, "target" VARCHAR, "reason" VARCHAR, filename VARCHAR);
SET VARIABLE gaps_objects = present('raw/v1/gaps/') || present('samples/v1/gaps/');
SET VARIABLE gaps_samples = present('samples/v1/gaps/');
SET VARIABLE gaps_hours = (SELECT coalesce(list(hour_of(file)), []) FROM glob(getvariable('gaps_samples')));
CREATE OR REPLACE TEMP VIEW gaps AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt, split_part(hour_of(filename), '/', 3) AS hh
  FROM query(if(len(getvariable('gaps_objects')) > 0, 'FROM read_gaps(getvariable(''gaps_objects''))', 'FROM no_gaps'))
  WHERE (contains(filename, '/samples/v1/gaps/') OR hour_of(filename) NOT IN (SELECT hour_of(file) FROM glob(getvariable('gaps_samples'))))
    AND (contains(filename, '/samples/v1/gaps/') OR NOT list_contains(getvariable('gaps_hours'), hour_of(filename)))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_hourly_models(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'engine': {name: 'engine', type: 'VARCHAR', default_value: NULL},
  'model': {name: 'model', type: 'VARCHAR', default_value: NULL},
  'samples': {name: 'samples', type: 'INTEGER', default_value: NULL},
  'expected_samples': {name: 'expected_samples', type: 'INTEGER', default_value: NULL},
  'cpu_usage_millicores_avg': {name: 'cpu_usage_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p50': {name: 'cpu_usage_millicores_p50', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p95': {name: 'cpu_usage_millicores_p95', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_max': {name: 'cpu_usage_millicores_max', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_avg': {name: 'memory_usage_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p50': {name: 'memory_usage_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p95': {name: 'memory_usage_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_max': {name: 'memory_usage_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_avg': {name: 'gpu_util_percent_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p50': {name: 'gpu_util_percent_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p95': {name: 'gpu_util_percent_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_max': {name: 'gpu_util_percent_max', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_avg': {name: 'gpu_memory_used_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p50': {name: 'gpu_memory_used_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p95': {name: 'gpu_memory_used_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_max': {name: 'gpu_memory_used_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_avg': {name: 'gpu_power_watts_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p50': {name: 'gpu_power_watts_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p95': {name: 'gpu_power_watts_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_max': {name: 'gpu_power_watts_max', type: 'DOUBLE', default_value: NULL},
  'requests_running_avg': {name: 'requests_running_avg', type: 'DOUBLE', default_value: NULL},
  'requests_running_p50': {name: 'requests_running_p50', type: 'DOUBLE', default_value: NULL},
  'requests_running_p95': {name: 'requests_running_p95', type: 'DOUBLE', default_value: NULL},
  'requests_running_max': {name: 'requests_running_max', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_avg': {name: 'requests_waiting_avg', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p50': {name: 'requests_waiting_p50', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p95': {name: 'requests_waiting_p95', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_max': {name: 'requests_waiting_max', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_avg': {name: 'kv_cache_usage_ratio_avg', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p50': {name: 'kv_cache_usage_ratio_p50', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p95': {name: 'kv_cache_usage_ratio_p95', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_max': {name: 'kv_cache_usage_ratio_max', type: 'DOUBLE', default_value: NULL},
  'pods_avg': {name: 'pods_avg', type: 'DOUBLE', default_value: NULL},
  'pods_p50': {name: 'pods_p50', type: 'DOUBLE', default_value: NULL},
  'pods_p95': {name: 'pods_p95', type: 'DOUBLE', default_value: NULL},
  'pods_max': {name: 'pods_max', type: 'DOUBLE', default_value: NULL},
  'replicas_avg': {name: 'replicas_avg', type: 'DOUBLE', default_value: NULL},
  'replicas_p50': {name: 'replicas_p50', type: 'DOUBLE', default_value: NULL},
  'replicas_p95': {name: 'replicas_p95', type: 'DOUBLE', default_value: NULL},
  'replicas_max': {name: 'replicas_max', type: 'DOUBLE', default_value: NULL},
  'cpu_request_millicores_avg': {name: 'cpu_request_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'memory_request_bytes_avg': {name: 'memory_request_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_p95_of_request_percent': {name: 'cpu_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'memory_p95_of_request_percent': {name: 'memory_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_allocated': {name: 'gpu_hours_allocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_active': {name: 'gpu_hours_active', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_idle_held': {name: 'gpu_hours_idle_held', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_loading': {name: 'gpu_hours_loading', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unknown': {name: 'gpu_hours_unknown', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unallocated': {name: 'gpu_hours_unallocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_total': {name: 'gpu_hours_total', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens': {name: 'prompt_tokens', type: 'BIGINT', default_value: NULL},
  'generation_tokens': {name: 'generation_tokens', type: 'BIGINT', default_value: NULL},
  'requests': {name: 'requests', type: 'BIGINT', default_value: NULL},
  'preemptions': {name: 'preemptions', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries': {name: 'prefix_cache_queries', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits': {name: 'prefix_cache_hits', type: 'BIGINT', default_value: NULL},
  'energy_millijoules': {name: 'energy_millijoules', type: 'BIGINT', default_value: NULL},
  'restarts': {name: 'restarts', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_avg': {name: 'ttft_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_avg': {name: 'inter_token_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_avg': {name: 'e2e_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'tokens_per_gpu_hour': {name: 'tokens_per_gpu_hour', type: 'DOUBLE', default_value: NULL},
  'tokens_per_kilowatt_hour': {name: 'tokens_per_kilowatt_hour', type: 'DOUBLE', default_value: NULL},
  'cost': {name: 'cost', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_models ("hour" TIMESTAMPTZ, "namespace" VARCHAR, "engine" VARCHAR, "model" VARCHAR, "samples" INTEGER, "expected_samples" INTEGER, "cpu_usage_millicores_avg" DOUBLE, "cpu_usage_millicores_p50" DOUBLE, "cpu_usage_millicores_p95" DOUBLE, "cpu_usage_millicores_max" DOUBLE, "memory_usage_bytes_avg" DOUBLE, "memory_usage_bytes_p50" DOUBLE, "memory_usage_bytes_p95" DOUBLE, "memory_usage_bytes_max" DOUBLE, "gpu_util_percent_avg" DOUBLE, "gpu_util_percent_p50" DOUBLE, "gpu_util_percent_p95" DOUBLE, "gpu_util_percent_max" DOUBLE, "gpu_memory_used_bytes_avg" DOUBLE, "gpu_memory_used_bytes_p50" DOUBLE, "gpu_memory_used_bytes_p95" DOUBLE, "gpu_memory_used_bytes_max" DOUBLE, "gpu_power_watts_avg" DOUBLE, "gpu_power_watts_p50" DOUBLE, "gpu_power_watts_p95" DOUBLE, "gpu_power_watts_max" DOUBLE, "requests_running_avg" DOUBLE, "requests_running_p50" DOUBLE, "requests_running_p95" DOUBLE, "requests_running_max" DOUBLE, "requests_waiting_avg" DOUBLE, "requests_waiting_p50" DOUBLE, "requests_waiting_p95" DOUBLE, "requests_waiting_max" DOUBLE, "kv_cache_usage_ratio_avg" DOUBLE, "kv_cache_usage_ratio_p50" DOUBLE, "kv_cache_usage_ratio_p95" DOUBLE, "kv_cache_usage_ratio_max" DOUBLE, "pods_avg" DOUBLE, "pods_p50" DOUBLE, "pods_p95" DOUBLE, "pods_max" DOUBLE, "replicas_avg" DOUBLE, "replicas_p50" DOUBLE, "replicas_p95" DOUBLE, "replicas_max" DOUBLE, "cpu_request_millicores_avg" DOUBLE, "memory_request_bytes_avg" DOUBLE, "cpu_p95_of_request_percent" DOUBLE, "memory_p95_of_request_percent" DOUBLE, "gpu_hours_allocated" DOUBLE, "gpu_hours_active" DOUBLE, "gpu_hours_idle_held" DOUBLE, "gpu_hours_loading" DOUBLE, "gpu_hours_unknown" DOUBLE, "gpu_hours_unallocated" DOUBLE, "gpu_hours_total" DOUBLE, "prompt_tokens" BIGINT, "generation_tokens" BIGINT, "requests" BIGINT, "preemptions" BIGINT, "prefix_cache_queries" BIGINT, "prefix_cache_hits" BIGINT, "energy_millijoules" BIGINT, "restarts" BIGINT, "ttft_seconds_avg" DOUBLE, "inter_token_seconds_avg" DOUBLE, "e2e_seconds_avg" DOUBLE, "tokens_per_gpu_hour" DOUBLE, "tokens_per_kilowatt_hour" DOUBLE, "cost" DOUBLE, filename VARCHAR);
SET VARIABLE hourly_models_objects = present('hourly/v1/models/');
CREATE OR REPLACE TEMP VIEW hourly_models AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_models_objects')) > 0, 'FROM read_hourly_models(getvariable(''hourly_models_objects''))', 'FROM no_hourly_models'))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_hourly_workloads(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'owner_kind': {name: 'owner_kind', type: 'VARCHAR', default_value: NULL},
  'owner': {name: 'owner', type: 'VARCHAR', default_value: NULL},
  'samples': {name: 'samples', type: 'INTEGER', default_value: NULL},
  'expected_samples': {name: 'expected_samples', type: 'INTEGER', default_value: NULL},
  'cpu_usage_millicores_avg': {name: 'cpu_usage_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p50': {name: 'cpu_usage_millicores_p50', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p95': {name: 'cpu_usage_millicores_p95', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_max': {name: 'cpu_usage_millicores_max', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_avg': {name: 'memory_usage_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p50': {name: 'memory_usage_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p95': {name: 'memory_usage_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_max': {name: 'memory_usage_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_avg': {name: 'gpu_util_percent_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p50': {name: 'gpu_util_percent_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p95': {name: 'gpu_util_percent_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_max': {name: 'gpu_util_percent_max', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_avg': {name: 'gpu_memory_used_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p50': {name: 'gpu_memory_used_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p95': {name: 'gpu_memory_used_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_max': {name: 'gpu_memory_used_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_avg': {name: 'gpu_power_watts_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p50': {name: 'gpu_power_watts_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p95': {name: 'gpu_power_watts_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_max': {name: 'gpu_power_watts_max', type: 'DOUBLE', default_value: NULL},
  'requests_running_avg': {name: 'requests_running_avg', type: 'DOUBLE', default_value: NULL},
  'requests_running_p50': {name: 'requests_running_p50', type: 'DOUBLE', default_value: NULL},
  'requests_running_p95': {name: 'requests_running_p95', type: 'DOUBLE', default_value: NULL},
  'requests_running_max': {name: 'requests_running_max', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_avg': {name: 'requests_waiting_avg', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p50': {name: 'requests_waiting_p50', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p95': {name: 'requests_waiting_p95', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_max': {name: 'requests_waiting_max', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_avg': {name: 'kv_cache_usage_ratio_avg', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p50': {name: 'kv_cache_usage_ratio_p50', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p95': {name: 'kv_cache_usage_ratio_p95', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_max': {name: 'kv_cache_usage_ratio_max', type: 'DOUBLE', default_value: NULL},
  'pods_avg': {name: 'pods_avg', type: 'DOUBLE', default_value: NULL},
  'pods_p50': {name: 'pods_p50', type: 'DOUBLE', default_value: NULL},
  'pods_p95': {name: 'pods_p95', type: 'DOUBLE', default_value: NULL},
  'pods_max': {name: 'pods_max', type: 'DOUBLE', default_value: NULL},
  'replicas_avg': {name: 'replicas_avg', type: 'DOUBLE', default_value: NULL},
  'replicas_p50': {name: 'replicas_p50', type: 'DOUBLE', default_value: NULL},
  'replicas_p95': {name: 'replicas_p95', type: 'DOUBLE', default_value: NULL},
  'replicas_max': {name: 'replicas_max', type: 'DOUBLE', default_value: NULL},
  'cpu_request_millicores_avg': {name: 'cpu_request_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'memory_request_bytes_avg': {name: 'memory_request_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_p95_of_request_percent': {name: 'cpu_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'memory_p95_of_request_percent': {name: 'memory_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_allocated': {name: 'gpu_hours_allocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_active': {name: 'gpu_hours_active', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_idle_held': {name: 'gpu_hours_idle_held', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_loading': {name: 'gpu_hours_loading', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unknown': {name: 'gpu_hours_unknown', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unallocated': {name: 'gpu_hours_unallocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_total': {name: 'gpu_hours_total', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens': {name: 'prompt_tokens', type: 'BIGINT', default_value: NULL},
  'generation_tokens': {name: 'generation_tokens', type: 'BIGINT', default_value: NULL},
  'requests': {name: 'requests', type: 'BIGINT', default_value: NULL},
  'preemptions': {name: 'preemptions', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries': {name: 'prefix_cache_queries', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits': {name: 'prefix_cache_hits', type: 'BIGINT', default_value: NULL},
  'energy_millijoules': {name: 'energy_millijoules', type: 'BIGINT', default_value: NULL},
  'restarts': {name: 'restarts', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_avg': {name: 'ttft_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_avg': {name: 'inter_token_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_avg': {name: 'e2e_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'tokens_per_gpu_hour': {name: 'tokens_per_gpu_hour', type: 'DOUBLE', default_value: NULL},
  'tokens_per_kilowatt_hour': {name: 'tokens_per_kilowatt_hour', type: 'DOUBLE', default_value: NULL},
  'cost': {name: 'cost', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_workloads ("hour" TIMESTAMPTZ, "namespace" VARCHAR, "owner_kind" VARCHAR, "owner" VARCHAR, "samples" INTEGER, "expected_samples" INTEGER, "cpu_usage_millicores_avg" DOUBLE, "cpu_usage_millicores_p50" DOUBLE, "cpu_usage_millicores_p95" DOUBLE, "cpu_usage_millicores_max" DOUBLE, "memory_usage_bytes_avg" DOUBLE, "memory_usage_bytes_p50" DOUBLE, "memory_usage_bytes_p95" DOUBLE, "memory_usage_bytes_max" DOUBLE, "gpu_util_percent_avg" DOUBLE, "gpu_util_percent_p50" DOUBLE, "gpu_util_percent_p95" DOUBLE, "gpu_util_percent_max" DOUBLE, "gpu_memory_used_bytes_avg" DOUBLE, "gpu_memory_used_bytes_p50" DOUBLE, "gpu_memory_used_bytes_p95" DOUBLE, "gpu_memory_used_bytes_max" DOUBLE, "gpu_power_watts_avg" DOUBLE, "gpu_power_watts_p50" DOUBLE, "gpu_power_watts_p95" DOUBLE, "gpu_power_watts_max" DOUBLE, "requests_running_avg" DOUBLE, "requests_running_p50" DOUBLE, "requests_running_p95" DOUBLE, "requests_running_max" DOUBLE, "requests_waiting_avg" DOUBLE, "requests_waiting_p50" DOUBLE, "requests_waiting_p95" DOUBLE, "requests_waiting_max" DOUBLE, "kv_cache_usage_ratio_avg" DOUBLE, "kv_cache_usage_ratio_p50" DOUBLE, "kv_cache_usage_ratio_p95" DOUBLE, "kv_cache_usage_ratio_max" DOUBLE, "pods_avg" DOUBLE, "pods_p50" DOUBLE, "pods_p95" DOUBLE, "pods_max" DOUBLE, "replicas_avg" DOUBLE, "replicas_p50" DOUBLE, "replicas_p95" DOUBLE, "replicas_max" DOUBLE, "cpu_request_millicores_avg" DOUBLE, "memory_request_bytes_avg" DOUBLE, "cpu_p95_of_request_percent" DOUBLE, "memory_p95_of_request_percent" DOUBLE, "gpu_hours_allocated" DOUBLE, "gpu_hours_active" DOUBLE, "gpu_hours_idle_held" DOUBLE, "gpu_hours_loading" DOUBLE, "gpu_hours_unknown" DOUBLE, "gpu_hours_unallocated" DOUBLE, "gpu_hours_total" DOUBLE, "prompt_tokens" BIGINT, "generation_tokens" BIGINT, "requests" BIGINT, "preemptions" BIGINT, "prefix_cache_queries" BIGINT, "prefix_cache_hits" BIGINT, "energy_millijoules" BIGINT, "restarts" BIGINT, "ttft_seconds_avg" DOUBLE, "inter_token_seconds_avg" DOUBLE, "e2e_seconds_avg" DOUBLE, "tokens_per_gpu_hour" DOUBLE, "tokens_per_kilowatt_hour" DOUBLE, "cost" DOUBLE, filename VARCHAR);
SET VARIABLE hourly_workloads_objects = present('hourly/v1/workloads/');
CREATE OR REPLACE TEMP VIEW hourly_workloads AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_workloads_objects')) > 0, 'FROM read_hourly_workloads(getvariable(''hourly_workloads_objects''))', 'FROM no_hourly_workloads'))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_hourly_namespaces(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'samples': {name: 'samples', type: 'INTEGER', default_value: NULL},
  'expected_samples': {name: 'expected_samples', type: 'INTEGER', default_value: NULL},
  'cpu_usage_millicores_avg': {name: 'cpu_usage_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p50': {name: 'cpu_usage_millicores_p50', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p95': {name: 'cpu_usage_millicores_p95', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_max': {name: 'cpu_usage_millicores_max', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_avg': {name: 'memory_usage_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p50': {name: 'memory_usage_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p95': {name: 'memory_usage_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_max': {name: 'memory_usage_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_avg': {name: 'gpu_util_percent_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p50': {name: 'gpu_util_percent_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p95': {name: 'gpu_util_percent_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_max': {name: 'gpu_util_percent_max', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_avg': {name: 'gpu_memory_used_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p50': {name: 'gpu_memory_used_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p95': {name: 'gpu_memory_used_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_max': {name: 'gpu_memory_used_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_avg': {name: 'gpu_power_watts_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p50': {name: 'gpu_power_watts_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p95': {name: 'gpu_power_watts_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_max': {name: 'gpu_power_watts_max', type: 'DOUBLE', default_value: NULL},
  'requests_running_avg': {name: 'requests_running_avg', type: 'DOUBLE', default_value: NULL},
  'requests_running_p50': {name: 'requests_running_p50', type: 'DOUBLE', default_value: NULL},
  'requests_running_p95': {name: 'requests_running_p95', type: 'DOUBLE', default_value: NULL},
  'requests_running_max': {name: 'requests_running_max', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_avg': {name: 'requests_waiting_avg', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p50': {name: 'requests_waiting_p50', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p95': {name: 'requests_waiting_p95', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_max': {name: 'requests_waiting_max', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_avg': {name: 'kv_cache_usage_ratio_avg', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p50': {name: 'kv_cache_usage_ratio_p50', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p95': {name: 'kv_cache_usage_ratio_p95', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_max': {name: 'kv_cache_usage_ratio_max', type: 'DOUBLE', default_value: NULL},
  'pods_avg': {name: 'pods_avg', type: 'DOUBLE', default_value: NULL},
  'pods_p50': {name: 'pods_p50', type: 'DOUBLE', default_value: NULL},
  'pods_p95': {name: 'pods_p95', type: 'DOUBLE', default_value: NULL},
  'pods_max': {name: 'pods_max', type: 'DOUBLE', default_value: NULL},
  'replicas_avg': {name: 'replicas_avg', type: 'DOUBLE', default_value: NULL},
  'replicas_p50': {name: 'replicas_p50', type: 'DOUBLE', default_value: NULL},
  'replicas_p95': {name: 'replicas_p95', type: 'DOUBLE', default_value: NULL},
  'replicas_max': {name: 'replicas_max', type: 'DOUBLE', default_value: NULL},
  'cpu_request_millicores_avg': {name: 'cpu_request_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'memory_request_bytes_avg': {name: 'memory_request_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_p95_of_request_percent': {name: 'cpu_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'memory_p95_of_request_percent': {name: 'memory_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_allocated': {name: 'gpu_hours_allocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_active': {name: 'gpu_hours_active', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_idle_held': {name: 'gpu_hours_idle_held', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_loading': {name: 'gpu_hours_loading', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unknown': {name: 'gpu_hours_unknown', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unallocated': {name: 'gpu_hours_unallocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_total': {name: 'gpu_hours_total', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens': {name: 'prompt_tokens', type: 'BIGINT', default_value: NULL},
  'generation_tokens': {name: 'generation_tokens', type: 'BIGINT', default_value: NULL},
  'requests': {name: 'requests', type: 'BIGINT', default_value: NULL},
  'preemptions': {name: 'preemptions', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries': {name: 'prefix_cache_queries', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits': {name: 'prefix_cache_hits', type: 'BIGINT', default_value: NULL},
  'energy_millijoules': {name: 'energy_millijoules', type: 'BIGINT', default_value: NULL},
  'restarts': {name: 'restarts', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_avg': {name: 'ttft_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_avg': {name: 'inter_token_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_avg': {name: 'e2e_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'tokens_per_gpu_hour': {name: 'tokens_per_gpu_hour', type: 'DOUBLE', default_value: NULL},
  'tokens_per_kilowatt_hour': {name: 'tokens_per_kilowatt_hour', type: 'DOUBLE', default_value: NULL},
  'cost': {name: 'cost', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_namespaces ("hour" TIMESTAMPTZ, "namespace" VARCHAR, "samples" INTEGER, "expected_samples" INTEGER, "cpu_usage_millicores_avg" DOUBLE, "cpu_usage_millicores_p50" DOUBLE, "cpu_usage_millicores_p95" DOUBLE, "cpu_usage_millicores_max" DOUBLE, "memory_usage_bytes_avg" DOUBLE, "memory_usage_bytes_p50" DOUBLE, "memory_usage_bytes_p95" DOUBLE, "memory_usage_bytes_max" DOUBLE, "gpu_util_percent_avg" DOUBLE, "gpu_util_percent_p50" DOUBLE, "gpu_util_percent_p95" DOUBLE, "gpu_util_percent_max" DOUBLE, "gpu_memory_used_bytes_avg" DOUBLE, "gpu_memory_used_bytes_p50" DOUBLE, "gpu_memory_used_bytes_p95" DOUBLE, "gpu_memory_used_bytes_max" DOUBLE, "gpu_power_watts_avg" DOUBLE, "gpu_power_watts_p50" DOUBLE, "gpu_power_watts_p95" DOUBLE, "gpu_power_watts_max" DOUBLE, "requests_running_avg" DOUBLE, "requests_running_p50" DOUBLE, "requests_running_p95" DOUBLE, "requests_running_max" DOUBLE, "requests_waiting_avg" DOUBLE, "requests_waiting_p50" DOUBLE, "requests_waiting_p95" DOUBLE, "requests_waiting_max" DOUBLE, "kv_cache_usage_ratio_avg" DOUBLE, "kv_cache_usage_ratio_p50" DOUBLE, "kv_cache_usage_ratio_p95" DOUBLE, "kv_cache_usage_ratio_max" DOUBLE, "pods_avg" DOUBLE, "pods_p50" DOUBLE, "pods_p95" DOUBLE, "pods_max" DOUBLE, "replicas_avg" DOUBLE, "replicas_p50" DOUBLE, "replicas_p95" DOUBLE, "replicas_max" DOUBLE, "cpu_request_millicores_avg" DOUBLE, "memory_request_bytes_avg" DOUBLE, "cpu_p95_of_request_percent" DOUBLE, "memory_p95_of_request_percent" DOUBLE, "gpu_hours_allocated" DOUBLE, "gpu_hours_active" DOUBLE, "gpu_hours_idle_held" DOUBLE, "gpu_hours_loading" DOUBLE, "gpu_hours_unknown" DOUBLE, "gpu_hours_unallocated" DOUBLE, "gpu_hours_total" DOUBLE, "prompt_tokens" BIGINT, "generation_tokens" BIGINT, "requests" BIGINT, "preemptions" BIGINT, "prefix_cache_queries" BIGINT, "prefix_cache_hits" BIGINT, "energy_millijoules" BIGINT, "restarts" BIGINT, "ttft_seconds_avg" DOUBLE, "inter_token_seconds_avg" DOUBLE, "e2e_seconds_avg" DOUBLE, "tokens_per_gpu_hour" DOUBLE, "tokens_per_kilowatt_hour" DOUBLE, "cost" DOUBLE, filename VARCHAR);
SET VARIABLE hourly_namespaces_objects = present('hourly/v1/namespaces/');
CREATE OR REPLACE TEMP VIEW hourly_namespaces AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_namespaces_objects')) > 0, 'FROM read_hourly_namespaces(getvariable(''hourly_namespaces_objects''))', 'FROM no_hourly_namespaces'))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_hourly_nodes(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL},
  'node': {name: 'node', type: 'VARCHAR', default_value: NULL},
  'gpu_product': {name: 'gpu_product', type: 'VARCHAR', default_value: NULL},
  'samples': {name: 'samples', type: 'INTEGER', default_value: NULL},
  'expected_samples': {name: 'expected_samples', type: 'INTEGER', default_value: NULL},
  'cpu_usage_millicores_avg': {name: 'cpu_usage_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p50': {name: 'cpu_usage_millicores_p50', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p95': {name: 'cpu_usage_millicores_p95', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_max': {name: 'cpu_usage_millicores_max', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_avg': {name: 'memory_usage_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p50': {name: 'memory_usage_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p95': {name: 'memory_usage_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_max': {name: 'memory_usage_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_avg': {name: 'gpu_util_percent_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p50': {name: 'gpu_util_percent_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p95': {name: 'gpu_util_percent_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_max': {name: 'gpu_util_percent_max', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_avg': {name: 'gpu_memory_used_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p50': {name: 'gpu_memory_used_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p95': {name: 'gpu_memory_used_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_max': {name: 'gpu_memory_used_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_avg': {name: 'gpu_power_watts_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p50': {name: 'gpu_power_watts_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p95': {name: 'gpu_power_watts_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_max': {name: 'gpu_power_watts_max', type: 'DOUBLE', default_value: NULL},
  'requests_running_avg': {name: 'requests_running_avg', type: 'DOUBLE', default_value: NULL},
  'requests_running_p50': {name: 'requests_running_p50', type: 'DOUBLE', default_value: NULL},
  'requests_running_p95': {name: 'requests_running_p95', type: 'DOUBLE', default_value: NULL},
  'requests_running_max': {name: 'requests_running_max', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_avg': {name: 'requests_waiting_avg', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p50': {name: 'requests_waiting_p50', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p95': {name: 'requests_waiting_p95', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_max': {name: 'requests_waiting_max', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_avg': {name: 'kv_cache_usage_ratio_avg', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p50': {name: 'kv_cache_usage_ratio_p50', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p95': {name: 'kv_cache_usage_ratio_p95', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_max': {name: 'kv_cache_usage_ratio_max', type: 'DOUBLE', default_value: NULL},
  'pods_avg': {name: 'pods_avg', type: 'DOUBLE', default_value: NULL},
  'pods_p50': {name: 'pods_p50', type: 'DOUBLE', default_value: NULL},
  'pods_p95': {name: 'pods_p95', type: 'DOUBLE', default_value: NULL},
  'pods_max': {name: 'pods_max', type: 'DOUBLE', default_value: NULL},
  'replicas_avg': {name: 'replicas_avg', type: 'DOUBLE', default_value: NULL},
  'replicas_p50': {name: 'replicas_p50', type: 'DOUBLE', default_value: NULL},
  'replicas_p95': {name: 'replicas_p95', type: 'DOUBLE', default_value: NULL},
  'replicas_max': {name: 'replicas_max', type: 'DOUBLE', default_value: NULL},
  'cpu_request_millicores_avg': {name: 'cpu_request_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'memory_request_bytes_avg': {name: 'memory_request_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_p95_of_request_percent': {name: 'cpu_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'memory_p95_of_request_percent': {name: 'memory_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_allocated': {name: 'gpu_hours_allocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_active': {name: 'gpu_hours_active', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_idle_held': {name: 'gpu_hours_idle_held', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_loading': {name: 'gpu_hours_loading', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unknown': {name: 'gpu_hours_unknown', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unallocated': {name: 'gpu_hours_unallocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_total': {name: 'gpu_hours_total', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens': {name: 'prompt_tokens', type: 'BIGINT', default_value: NULL},
  'generation_tokens': {name: 'generation_tokens', type: 'BIGINT', default_value: NULL},
  'requests': {name: 'requests', type: 'BIGINT', default_value: NULL},
  'preemptions': {name: 'preemptions', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries': {name: 'prefix_cache_queries', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits': {name: 'prefix_cache_hits', type: 'BIGINT', default_value: NULL},
  'energy_millijoules': {name: 'energy_millijoules', type: 'BIGINT', default_value: NULL},
  'restarts': {name: 'restarts', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_avg': {name: 'ttft_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_avg': {name: 'inter_token_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_avg': {name: 'e2e_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'tokens_per_gpu_hour': {name: 'tokens_per_gpu_hour', type: 'DOUBLE', default_value: NULL},
  'tokens_per_kilowatt_hour': {name: 'tokens_per_kilowatt_hour', type: 'DOUBLE', default_value: NULL},
  'cost': {name: 'cost', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_nodes ("hour" TIMESTAMPTZ, "node" VARCHAR, "gpu_product" VARCHAR, "samples" INTEGER, "expected_samples" INTEGER, "cpu_usage_millicores_avg" DOUBLE, "cpu_usage_millicores_p50" DOUBLE, "cpu_usage_millicores_p95" DOUBLE, "cpu_usage_millicores_max" DOUBLE, "memory_usage_bytes_avg" DOUBLE, "memory_usage_bytes_p50" DOUBLE, "memory_usage_bytes_p95" DOUBLE, "memory_usage_bytes_max" DOUBLE, "gpu_util_percent_avg" DOUBLE, "gpu_util_percent_p50" DOUBLE, "gpu_util_percent_p95" DOUBLE, "gpu_util_percent_max" DOUBLE, "gpu_memory_used_bytes_avg" DOUBLE, "gpu_memory_used_bytes_p50" DOUBLE, "gpu_memory_used_bytes_p95" DOUBLE, "gpu_memory_used_bytes_max" DOUBLE, "gpu_power_watts_avg" DOUBLE, "gpu_power_watts_p50" DOUBLE, "gpu_power_watts_p95" DOUBLE, "gpu_power_watts_max" DOUBLE, "requests_running_avg" DOUBLE, "requests_running_p50" DOUBLE, "requests_running_p95" DOUBLE, "requests_running_max" DOUBLE, "requests_waiting_avg" DOUBLE, "requests_waiting_p50" DOUBLE, "requests_waiting_p95" DOUBLE, "requests_waiting_max" DOUBLE, "kv_cache_usage_ratio_avg" DOUBLE, "kv_cache_usage_ratio_p50" DOUBLE, "kv_cache_usage_ratio_p95" DOUBLE, "kv_cache_usage_ratio_max" DOUBLE, "pods_avg" DOUBLE, "pods_p50" DOUBLE, "pods_p95" DOUBLE, "pods_max" DOUBLE, "replicas_avg" DOUBLE, "replicas_p50" DOUBLE, "replicas_p95" DOUBLE, "replicas_max" DOUBLE, "cpu_request_millicores_avg" DOUBLE, "memory_request_bytes_avg" DOUBLE, "cpu_p95_of_request_percent" DOUBLE, "memory_p95_of_request_percent" DOUBLE, "gpu_hours_allocated" DOUBLE, "gpu_hours_active" DOUBLE, "gpu_hours_idle_held" DOUBLE, "gpu_hours_loading" DOUBLE, "gpu_hours_unknown" DOUBLE, "gpu_hours_unallocated" DOUBLE, "gpu_hours_total" DOUBLE, "prompt_tokens" BIGINT, "generation_tokens" BIGINT, "requests" BIGINT, "preemptions" BIGINT, "prefix_cache_queries" BIGINT, "prefix_cache_hits" BIGINT, "energy_millijoules" BIGINT, "restarts" BIGINT, "ttft_seconds_avg" DOUBLE, "inter_token_seconds_avg" DOUBLE, "e2e_seconds_avg" DOUBLE, "tokens_per_gpu_hour" DOUBLE, "tokens_per_kilowatt_hour" DOUBLE, "cost" DOUBLE, filename VARCHAR);
SET VARIABLE hourly_nodes_objects = present('hourly/v1/nodes/');
CREATE OR REPLACE TEMP VIEW hourly_nodes AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_nodes_objects')) > 0, 'FROM read_hourly_nodes(getvariable(''hourly_nodes_objects''))', 'FROM no_hourly_nodes'))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_hourly_pods(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL},
  'namespace': {name: 'namespace', type: 'VARCHAR', default_value: NULL},
  'pod': {name: 'pod', type: 'VARCHAR', default_value: NULL},
  'pod_uid': {name: 'pod_uid', type: 'VARCHAR', default_value: NULL},
  'node': {name: 'node', type: 'VARCHAR', default_value: NULL},
  'engine': {name: 'engine', type: 'VARCHAR', default_value: NULL},
  'model': {name: 'model', type: 'VARCHAR', default_value: NULL},
  'samples': {name: 'samples', type: 'INTEGER', default_value: NULL},
  'expected_samples': {name: 'expected_samples', type: 'INTEGER', default_value: NULL},
  'cpu_usage_millicores_avg': {name: 'cpu_usage_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p50': {name: 'cpu_usage_millicores_p50', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p95': {name: 'cpu_usage_millicores_p95', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_max': {name: 'cpu_usage_millicores_max', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_avg': {name: 'memory_usage_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p50': {name: 'memory_usage_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p95': {name: 'memory_usage_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_max': {name: 'memory_usage_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_avg': {name: 'gpu_util_percent_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p50': {name: 'gpu_util_percent_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p95': {name: 'gpu_util_percent_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_max': {name: 'gpu_util_percent_max', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_avg': {name: 'gpu_memory_used_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p50': {name: 'gpu_memory_used_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p95': {name: 'gpu_memory_used_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_max': {name: 'gpu_memory_used_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_avg': {name: 'gpu_power_watts_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p50': {name: 'gpu_power_watts_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p95': {name: 'gpu_power_watts_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_max': {name: 'gpu_power_watts_max', type: 'DOUBLE', default_value: NULL},
  'requests_running_avg': {name: 'requests_running_avg', type: 'DOUBLE', default_value: NULL},
  'requests_running_p50': {name: 'requests_running_p50', type: 'DOUBLE', default_value: NULL},
  'requests_running_p95': {name: 'requests_running_p95', type: 'DOUBLE', default_value: NULL},
  'requests_running_max': {name: 'requests_running_max', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_avg': {name: 'requests_waiting_avg', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p50': {name: 'requests_waiting_p50', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p95': {name: 'requests_waiting_p95', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_max': {name: 'requests_waiting_max', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_avg': {name: 'kv_cache_usage_ratio_avg', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p50': {name: 'kv_cache_usage_ratio_p50', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p95': {name: 'kv_cache_usage_ratio_p95', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_max': {name: 'kv_cache_usage_ratio_max', type: 'DOUBLE', default_value: NULL},
  'pods_avg': {name: 'pods_avg', type: 'DOUBLE', default_value: NULL},
  'pods_p50': {name: 'pods_p50', type: 'DOUBLE', default_value: NULL},
  'pods_p95': {name: 'pods_p95', type: 'DOUBLE', default_value: NULL},
  'pods_max': {name: 'pods_max', type: 'DOUBLE', default_value: NULL},
  'replicas_avg': {name: 'replicas_avg', type: 'DOUBLE', default_value: NULL},
  'replicas_p50': {name: 'replicas_p50', type: 'DOUBLE', default_value: NULL},
  'replicas_p95': {name: 'replicas_p95', type: 'DOUBLE', default_value: NULL},
  'replicas_max': {name: 'replicas_max', type: 'DOUBLE', default_value: NULL},
  'cpu_request_millicores_avg': {name: 'cpu_request_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'memory_request_bytes_avg': {name: 'memory_request_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_p95_of_request_percent': {name: 'cpu_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'memory_p95_of_request_percent': {name: 'memory_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_allocated': {name: 'gpu_hours_allocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_active': {name: 'gpu_hours_active', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_idle_held': {name: 'gpu_hours_idle_held', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_loading': {name: 'gpu_hours_loading', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unknown': {name: 'gpu_hours_unknown', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unallocated': {name: 'gpu_hours_unallocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_total': {name: 'gpu_hours_total', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens': {name: 'prompt_tokens', type: 'BIGINT', default_value: NULL},
  'generation_tokens': {name: 'generation_tokens', type: 'BIGINT', default_value: NULL},
  'requests': {name: 'requests', type: 'BIGINT', default_value: NULL},
  'preemptions': {name: 'preemptions', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries': {name: 'prefix_cache_queries', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits': {name: 'prefix_cache_hits', type: 'BIGINT', default_value: NULL},
  'energy_millijoules': {name: 'energy_millijoules', type: 'BIGINT', default_value: NULL},
  'restarts': {name: 'restarts', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_avg': {name: 'ttft_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_avg': {name: 'inter_token_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_avg': {name: 'e2e_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'tokens_per_gpu_hour': {name: 'tokens_per_gpu_hour', type: 'DOUBLE', default_value: NULL},
  'tokens_per_kilowatt_hour': {name: 'tokens_per_kilowatt_hour', type: 'DOUBLE', default_value: NULL},
  'cost': {name: 'cost', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_pods ("hour" TIMESTAMPTZ, "namespace" VARCHAR, "pod" VARCHAR, "pod_uid" VARCHAR, "node" VARCHAR, "engine" VARCHAR, "model" VARCHAR, "samples" INTEGER, "expected_samples" INTEGER, "cpu_usage_millicores_avg" DOUBLE, "cpu_usage_millicores_p50" DOUBLE, "cpu_usage_millicores_p95" DOUBLE, "cpu_usage_millicores_max" DOUBLE, "memory_usage_bytes_avg" DOUBLE, "memory_usage_bytes_p50" DOUBLE, "memory_usage_bytes_p95" DOUBLE, "memory_usage_bytes_max" DOUBLE, "gpu_util_percent_avg" DOUBLE, "gpu_util_percent_p50" DOUBLE, "gpu_util_percent_p95" DOUBLE, "gpu_util_percent_max" DOUBLE, "gpu_memory_used_bytes_avg" DOUBLE, "gpu_memory_used_bytes_p50" DOUBLE, "gpu_memory_used_bytes_p95" DOUBLE, "gpu_memory_used_bytes_max" DOUBLE, "gpu_power_watts_avg" DOUBLE, "gpu_power_watts_p50" DOUBLE, "gpu_power_watts_p95" DOUBLE, "gpu_power_watts_max" DOUBLE, "requests_running_avg" DOUBLE, "requests_running_p50" DOUBLE, "requests_running_p95" DOUBLE, "requests_running_max" DOUBLE, "requests_waiting_avg" DOUBLE, "requests_waiting_p50" DOUBLE, "requests_waiting_p95" DOUBLE, "requests_waiting_max" DOUBLE, "kv_cache_usage_ratio_avg" DOUBLE, "kv_cache_usage_ratio_p50" DOUBLE, "kv_cache_usage_ratio_p95" DOUBLE, "kv_cache_usage_ratio_max" DOUBLE, "pods_avg" DOUBLE, "pods_p50" DOUBLE, "pods_p95" DOUBLE, "pods_max" DOUBLE, "replicas_avg" DOUBLE, "replicas_p50" DOUBLE, "replicas_p95" DOUBLE, "replicas_max" DOUBLE, "cpu_request_millicores_avg" DOUBLE, "memory_request_bytes_avg" DOUBLE, "cpu_p95_of_request_percent" DOUBLE, "memory_p95_of_request_percent" DOUBLE, "gpu_hours_allocated" DOUBLE, "gpu_hours_active" DOUBLE, "gpu_hours_idle_held" DOUBLE, "gpu_hours_loading" DOUBLE, "gpu_hours_unknown" DOUBLE, "gpu_hours_unallocated" DOUBLE, "gpu_hours_total" DOUBLE, "prompt_tokens" BIGINT, "generation_tokens" BIGINT, "requests" BIGINT, "preemptions" BIGINT, "prefix_cache_queries" BIGINT, "prefix_cache_hits" BIGINT, "energy_millijoules" BIGINT, "restarts" BIGINT, "ttft_seconds_avg" DOUBLE, "inter_token_seconds_avg" DOUBLE, "e2e_seconds_avg" DOUBLE, "tokens_per_gpu_hour" DOUBLE, "tokens_per_kilowatt_hour" DOUBLE, "cost" DOUBLE, filename VARCHAR);
SET VARIABLE hourly_pods_objects = present('hourly/v1/pods/');
CREATE OR REPLACE TEMP VIEW hourly_pods AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_pods_objects')) > 0, 'FROM read_hourly_pods(getvariable(''hourly_pods_objects''))', 'FROM no_hourly_pods'))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP MACRO read_hourly_cluster(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL},
  'samples': {name: 'samples', type: 'INTEGER', default_value: NULL},
  'expected_samples': {name: 'expected_samples', type: 'INTEGER', default_value: NULL},
  'cpu_usage_millicores_avg': {name: 'cpu_usage_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p50': {name: 'cpu_usage_millicores_p50', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_p95': {name: 'cpu_usage_millicores_p95', type: 'DOUBLE', default_value: NULL},
  'cpu_usage_millicores_max': {name: 'cpu_usage_millicores_max', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_avg': {name: 'memory_usage_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p50': {name: 'memory_usage_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_p95': {name: 'memory_usage_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'memory_usage_bytes_max': {name: 'memory_usage_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_avg': {name: 'gpu_util_percent_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p50': {name: 'gpu_util_percent_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_p95': {name: 'gpu_util_percent_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_util_percent_max': {name: 'gpu_util_percent_max', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_avg': {name: 'gpu_memory_used_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p50': {name: 'gpu_memory_used_bytes_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_p95': {name: 'gpu_memory_used_bytes_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_memory_used_bytes_max': {name: 'gpu_memory_used_bytes_max', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_avg': {name: 'gpu_power_watts_avg', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p50': {name: 'gpu_power_watts_p50', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_p95': {name: 'gpu_power_watts_p95', type: 'DOUBLE', default_value: NULL},
  'gpu_power_watts_max': {name: 'gpu_power_watts_max', type: 'DOUBLE', default_value: NULL},
  'requests_running_avg': {name: 'requests_running_avg', type: 'DOUBLE', default_value: NULL},
  'requests_running_p50': {name: 'requests_running_p50', type: 'DOUBLE', default_value: NULL},
  'requests_running_p95': {name: 'requests_running_p95', type: 'DOUBLE', default_value: NULL},
  'requests_running_max': {name: 'requests_running_max', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_avg': {name: 'requests_waiting_avg', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p50': {name: 'requests_waiting_p50', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_p95': {name: 'requests_waiting_p95', type: 'DOUBLE', default_value: NULL},
  'requests_waiting_max': {name: 'requests_waiting_max', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_avg': {name: 'kv_cache_usage_ratio_avg', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p50': {name: 'kv_cache_usage_ratio_p50', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_p95': {name: 'kv_cache_usage_ratio_p95', type: 'DOUBLE', default_value: NULL},
  'kv_cache_usage_ratio_max': {name: 'kv_cache_usage_ratio_max', type: 'DOUBLE', default_value: NULL},
  'pods_avg': {name: 'pods_avg', type: 'DOUBLE', default_value: NULL},
  'pods_p50': {name: 'pods_p50', type: 'DOUBLE', default_value: NULL},
  'pods_p95': {name: 'pods_p95', type: 'DOUBLE', default_value: NULL},
  'pods_max': {name: 'pods_max', type: 'DOUBLE', default_value: NULL},
  'replicas_avg': {name: 'replicas_avg', type: 'DOUBLE', default_value: NULL},
  'replicas_p50': {name: 'replicas_p50', type: 'DOUBLE', default_value: NULL},
  'replicas_p95': {name: 'replicas_p95', type: 'DOUBLE', default_value: NULL},
  'replicas_max': {name: 'replicas_max', type: 'DOUBLE', default_value: NULL},
  'cpu_request_millicores_avg': {name: 'cpu_request_millicores_avg', type: 'DOUBLE', default_value: NULL},
  'memory_request_bytes_avg': {name: 'memory_request_bytes_avg', type: 'DOUBLE', default_value: NULL},
  'cpu_p95_of_request_percent': {name: 'cpu_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'memory_p95_of_request_percent': {name: 'memory_p95_of_request_percent', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_allocated': {name: 'gpu_hours_allocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_active': {name: 'gpu_hours_active', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_idle_held': {name: 'gpu_hours_idle_held', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_loading': {name: 'gpu_hours_loading', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unknown': {name: 'gpu_hours_unknown', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_unallocated': {name: 'gpu_hours_unallocated', type: 'DOUBLE', default_value: NULL},
  'gpu_hours_total': {name: 'gpu_hours_total', type: 'DOUBLE', default_value: NULL},
  'prompt_tokens': {name: 'prompt_tokens', type: 'BIGINT', default_value: NULL},
  'generation_tokens': {name: 'generation_tokens', type: 'BIGINT', default_value: NULL},
  'requests': {name: 'requests', type: 'BIGINT', default_value: NULL},
  'preemptions': {name: 'preemptions', type: 'BIGINT', default_value: NULL},
  'prefix_cache_queries': {name: 'prefix_cache_queries', type: 'BIGINT', default_value: NULL},
  'prefix_cache_hits': {name: 'prefix_cache_hits', type: 'BIGINT', default_value: NULL},
  'energy_millijoules': {name: 'energy_millijoules', type: 'BIGINT', default_value: NULL},
  'restarts': {name: 'restarts', type: 'BIGINT', default_value: NULL},
  'ttft_seconds_avg': {name: 'ttft_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'inter_token_seconds_avg': {name: 'inter_token_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'e2e_seconds_avg': {name: 'e2e_seconds_avg', type: 'DOUBLE', default_value: NULL},
  'tokens_per_gpu_hour': {name: 'tokens_per_gpu_hour', type: 'DOUBLE', default_value: NULL},
  'tokens_per_kilowatt_hour': {name: 'tokens_per_kilowatt_hour', type: 'DOUBLE', default_value: NULL},
  'cost': {name: 'cost', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_cluster ("hour" TIMESTAMPTZ, "samples" INTEGER, "expected_samples" INTEGER, "cpu_usage_millicores_avg" DOUBLE, "cpu_usage_millicores_p50" DOUBLE, "cpu_usage_millicores_p95" DOUBLE, "cpu_usage_millicores_max" DOUBLE, "memory_usage_bytes_avg" DOUBLE, "memory_usage_bytes_p50" DOUBLE, "memory_usage_bytes_p95" DOUBLE, "memory_usage_bytes_max" DOUBLE, "gpu_util_percent_avg" DOUBLE, "gpu_util_percent_p50" DOUBLE, "gpu_util_percent_p95" DOUBLE, "gpu_util_percent_max" DOUBLE, "gpu_memory_used_bytes_avg" DOUBLE, "gpu_memory_used_bytes_p50" DOUBLE, "gpu_memory_used_bytes_p95" DOUBLE, "gpu_memory_used_bytes_max" DOUBLE, "gpu_power_watts_avg" DOUBLE, "gpu_power_watts_p50" DOUBLE, "gpu_power_watts_p95" DOUBLE, "gpu_power_watts_max" DOUBLE, "requests_running_avg" DOUBLE, "requests_running_p50" DOUBLE, "requests_running_p95" DOUBLE, "requests_running_max" DOUBLE, "requests_waiting_avg" DOUBLE, "requests_waiting_p50" DOUBLE, "requests_waiting_p95" DOUBLE, "requests_waiting_max" DOUBLE, "kv_cache_usage_ratio_avg" DOUBLE, "kv_cache_usage_ratio_p50" DOUBLE, "kv_cache_usage_ratio_p95" DOUBLE, "kv_cache_usage_ratio_max" DOUBLE, "pods_avg" DOUBLE, "pods_p50" DOUBLE, "pods_p95" DOUBLE, "pods_max" DOUBLE, "replicas_avg" DOUBLE, "replicas_p50" DOUBLE, "replicas_p95" DOUBLE, "replicas_max" DOUBLE, "cpu_request_millicores_avg" DOUBLE, "memory_request_bytes_avg" DOUBLE, "cpu_p95_of_request_percent" DOUBLE, "memory_p95_of_request_percent" DOUBLE, "gpu_hours_allocated" DOUBLE, "gpu_hours_active" DOUBLE, "gpu_hours_idle_held" DOUBLE, "gpu_hours_loading" DOUBLE, "gpu_hours_unknown" DOUBLE, "gpu_hours_unallocated" DOUBLE, "gpu_hours_total" DOUBLE, "prompt_tokens" BIGINT, "generation_tokens" BIGINT, "requests" BIGINT, "preemptions" BIGINT, "prefix_cache_queries" BIGINT, "prefix_cache_hits" BIGINT, "energy_millijoules" BIGINT, "restarts" BIGINT, "ttft_seconds_avg" DOUBLE, "inter_token_seconds_avg" DOUBLE, "e2e_seconds_avg" DOUBLE, "tokens_per_gpu_hour" DOUBLE, "tokens_per_kilowatt_hour" DOUBLE, "cost" DOUBLE, filename VARCHAR);
SET VARIABLE hourly_cluster_objects = present('hourly/v1/cluster/');
CREATE OR REPLACE TEMP VIEW hourly_cluster AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_cluster_objects')) > 0, 'FROM read_hourly_cluster(getvariable(''hourly_cluster_objects''))', 'FROM no_hourly_cluster'))
)
SELECT * FROM stored;
