-- The bucket "s3://acme-lake/team" for Trino's Hive connector, by k8s-monitor sql trino.
-- Trino sees the objects of a new hour or day when the CALLs have run again.
SET TIME ZONE 'UTC';
CREATE SCHEMA IF NOT EXISTS k8s_monitor;
USE k8s_monitor;

DROP TABLE IF EXISTS objects_raw_pods;
CREATE TABLE objects_raw_pods (
  "ts" timestamp(3),
  "pod" varchar,
  "ready" boolean,
  "restarts" integer,
  "memory_usage_bytes" bigint,
  "gpu_util_percent" double,
  "cluster" varchar,
  "dt" varchar,
  "hh" varchar
) WITH (
  external_location = 's3://acme-lake/team/raw/v1/pods/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt', 'hh']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_raw_pods', mode => 'FULL');

DROP TABLE IF EXISTS objects_samples_pods;
CREATE TABLE objects_samples_pods (
  "ts" timestamp(3),
  "pod" varchar,
  "ready" boolean,
  "restarts" integer,
  "memory_usage_bytes" bigint,
  "gpu_util_percent" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/samples/v1/pods/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_samples_pods', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_models;
CREATE TABLE objects_hourly_models (
  "hour" timestamp(3),
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/models/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_models', mode => 'FULL');

CREATE OR REPLACE VIEW pods AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM objects_samples_pods
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM objects_samples_pods
  UNION ALL
  SELECT *
  FROM objects_raw_pods AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
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

CREATE OR REPLACE VIEW hourly_models AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_models
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW pod_gpu_states AS
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
