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

CREATE OR REPLACE TEMP MACRO read_pods(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'ts': {name: 'ts', type: 'TIMESTAMPTZ', default_value: NULL},
  'pod': {name: 'pod', type: 'VARCHAR', default_value: NULL},
  'ready': {name: 'ready', type: 'BOOLEAN', default_value: NULL},
  'restarts': {name: 'restarts', type: 'INTEGER', default_value: NULL},
  'memory_usage_bytes': {name: 'memory_usage_bytes', type: 'BIGINT', default_value: NULL},
  'gpu_util_percent': {name: 'gpu_util_percent', type: 'DOUBLE', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_pods ("ts" TIMESTAMPTZ, "pod" VARCHAR, "ready" BOOLEAN, "restarts" INTEGER, "memory_usage_bytes" BIGINT, "gpu_util_percent" DOUBLE, filename VARCHAR);
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

CREATE OR REPLACE TEMP MACRO read_hourly_models(files) AS TABLE
FROM read_parquet(files, filename = true, hive_partitioning = false, schema = MAP {
  'hour': {name: 'hour', type: 'TIMESTAMPTZ', default_value: NULL}
});
CREATE OR REPLACE TEMP TABLE no_hourly_models ("hour" TIMESTAMPTZ, filename VARCHAR);
SET VARIABLE hourly_models_objects = present('hourly/v1/models/');
CREATE OR REPLACE TEMP VIEW hourly_models AS
WITH stored AS (
  SELECT * EXCLUDE (filename), split_part(hour_of(filename), '/', 1) AS cluster, split_part(hour_of(filename), '/', 2) AS dt
  FROM query(if(len(getvariable('hourly_models_objects')) > 0, 'FROM read_hourly_models(getvariable(''hourly_models_objects''))', 'FROM no_hourly_models'))
)
SELECT * FROM stored;

CREATE OR REPLACE TEMP VIEW pod_gpu_states AS
WITH readings AS (
  SELECT cluster, dt, hh, ts, namespace, pod, pod_uid, requests_running,
         prompt_tokens_total AS prompt, lag(prompt_tokens_total) OVER (PARTITION BY cluster, dt, pod_uid ORDER BY ts) AS prompt_before,
         generation_tokens_total AS generation, lag(generation_tokens_total) OVER (PARTITION BY cluster, dt, pod_uid ORDER BY ts) AS generation_before
  FROM engines
), increases AS (
  SELECT cluster, dt, hh, ts, namespace, pod, pod_uid, requests_running,
         CASE WHEN prompt < prompt_before THEN prompt ELSE prompt - prompt_before END AS prompt,
         CASE WHEN generation < generation_before THEN generation ELSE generation - generation_before END AS generation
  FROM readings
), engine_work AS (
  SELECT cluster, dt, hh, ts, namespace, pod, pod_uid,
         CASE WHEN coalesce(requests_running, prompt, generation) IS NOT NULL THEN
           coalesce(requests_running, 0) > 0 OR coalesce(prompt, 0) + coalesce(generation, 0) > 0 END AS works
  FROM increases
), replicas AS (
  SELECT pods.cluster, pods.dt, pods.hh, pods.ts, pods.namespace, pods.pod, pods.pod_uid, pods.node, pods.owner_kind, pods.owner,
         pods.phase, pods.ready, pods.engine, pods.model, pods.replica_group, pods.gpu_request, pods.gpu_util_percent,
         work.works, CASE WHEN pods.replica_group IS NOT NULL THEN bool_or(work.works)
           OVER (PARTITION BY pods.cluster, pods.dt, pods.hh, pods.ts, pods.namespace, pods.replica_group) END AS replica_works
  FROM pods AS pods
  LEFT JOIN engine_work AS work ON work.cluster = pods.cluster AND work.dt = pods.dt AND work.hh = pods.hh AND work.ts = pods.ts
    AND work.namespace = pods.namespace AND work.pod = pods.pod AND work.pod_uid = pods.pod_uid
)
SELECT cluster, dt, hh, ts, namespace, pod, pod_uid, node, owner_kind, owner, phase, ready, engine, model, replica_group,
       gpu_request, gpu_util_percent,
       CASE WHEN gpu_request <= 0 OR node IS NULL OR phase IN ('Succeeded', 'Failed') THEN NULL
            WHEN NOT ready THEN 'loading'
            WHEN coalesce(works, replica_works) THEN 'active'
            WHEN NOT coalesce(works, replica_works) THEN 'idle_held'
            WHEN gpu_util_percent > 5 THEN 'active'
            WHEN gpu_util_percent <= 5 THEN 'idle_held'
            ELSE 'unknown' END AS gpu_state
FROM replicas;
