-- The bucket "s3://acme-lake/team" for Trino's Hive connector, by k8s-monitor sql trino.
-- Trino sees the objects of a new hour or day when the CALLs have run again.
SET TIME ZONE 'UTC';
CREATE SCHEMA IF NOT EXISTS k8s_monitor;
USE k8s_monitor;

DROP TABLE IF EXISTS objects_raw_nodes;
CREATE TABLE objects_raw_nodes (
  "ts" timestamp(3),
  "node" varchar,
  "ready" boolean,
  "unschedulable" boolean,
  "roles" varchar,
  "pressure" varchar,
  "instance_type" varchar,
  "zone" varchar,
  "kubelet_version" varchar,
  "created_at" timestamp(3),
  "cpu_capacity_millicores" bigint,
  "cpu_allocatable_millicores" bigint,
  "cpu_requested_millicores" bigint,
  "cpu_usage_millicores" bigint,
  "memory_capacity_bytes" bigint,
  "memory_allocatable_bytes" bigint,
  "memory_requested_bytes" bigint,
  "memory_usage_bytes" bigint,
  "pods_allocatable" integer,
  "pods_running" integer,
  "gpu_product" varchar,
  "gpu_allocatable" integer,
  "gpu_requested" integer,
  "cluster" varchar,
  "dt" varchar,
  "hh" varchar
) WITH (
  external_location = 's3://acme-lake/team/raw/v1/nodes/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt', 'hh']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_raw_nodes', mode => 'FULL');

DROP TABLE IF EXISTS objects_samples_nodes;
CREATE TABLE objects_samples_nodes (
  "ts" timestamp(3),
  "node" varchar,
  "ready" boolean,
  "unschedulable" boolean,
  "roles" varchar,
  "pressure" varchar,
  "instance_type" varchar,
  "zone" varchar,
  "kubelet_version" varchar,
  "created_at" timestamp(3),
  "cpu_capacity_millicores" bigint,
  "cpu_allocatable_millicores" bigint,
  "cpu_requested_millicores" bigint,
  "cpu_usage_millicores" bigint,
  "memory_capacity_bytes" bigint,
  "memory_allocatable_bytes" bigint,
  "memory_requested_bytes" bigint,
  "memory_usage_bytes" bigint,
  "pods_allocatable" integer,
  "pods_running" integer,
  "gpu_product" varchar,
  "gpu_allocatable" integer,
  "gpu_requested" integer,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/samples/v1/nodes/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_samples_nodes', mode => 'FULL');

DROP TABLE IF EXISTS objects_raw_pods;
CREATE TABLE objects_raw_pods (
  "ts" timestamp(3),
  "namespace" varchar,
  "pod" varchar,
  "pod_uid" varchar,
  "node" varchar,
  "owner_kind" varchar,
  "owner" varchar,
  "phase" varchar,
  "reason" varchar,
  "ready" boolean,
  "restarts" integer,
  "created_at" timestamp(3),
  "started_at" timestamp(3),
  "image" varchar,
  "engine" varchar,
  "model" varchar,
  "model_path" varchar,
  "role" varchar,
  "replica_group" varchar,
  "identified_by" varchar,
  "cpu_usage_millicores" bigint,
  "cpu_request_millicores" bigint,
  "cpu_limit_millicores" bigint,
  "memory_usage_bytes" bigint,
  "memory_request_bytes" bigint,
  "memory_limit_bytes" bigint,
  "gpu_request" integer,
  "gpu_util_percent" double,
  "gpu_memory_used_bytes" bigint,
  "gpu_memory_total_bytes" bigint,
  "gpu_power_watts" double,
  "gpu_attribution" varchar,
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
  "namespace" varchar,
  "pod" varchar,
  "pod_uid" varchar,
  "node" varchar,
  "owner_kind" varchar,
  "owner" varchar,
  "phase" varchar,
  "reason" varchar,
  "ready" boolean,
  "restarts" integer,
  "created_at" timestamp(3),
  "started_at" timestamp(3),
  "image" varchar,
  "engine" varchar,
  "model" varchar,
  "model_path" varchar,
  "role" varchar,
  "replica_group" varchar,
  "identified_by" varchar,
  "cpu_usage_millicores" bigint,
  "cpu_request_millicores" bigint,
  "cpu_limit_millicores" bigint,
  "memory_usage_bytes" bigint,
  "memory_request_bytes" bigint,
  "memory_limit_bytes" bigint,
  "gpu_request" integer,
  "gpu_util_percent" double,
  "gpu_memory_used_bytes" bigint,
  "gpu_memory_total_bytes" bigint,
  "gpu_power_watts" double,
  "gpu_attribution" varchar,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/samples/v1/pods/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_samples_pods', mode => 'FULL');

DROP TABLE IF EXISTS objects_raw_gpus;
CREATE TABLE objects_raw_gpus (
  "ts" timestamp(3),
  "node" varchar,
  "gpu_index" integer,
  "gpu_uuid" varchar,
  "gpu_product" varchar,
  "mig_profile" varchar,
  "mig_instance" integer,
  "namespace" varchar,
  "pod" varchar,
  "container" varchar,
  "share_count" integer,
  "util_percent" double,
  "util_source" varchar,
  "memory_used_bytes" bigint,
  "memory_total_bytes" bigint,
  "power_watts" double,
  "energy_millijoules_total" bigint,
  "temperature_celsius" integer,
  "sm_clock_mhz" integer,
  "xid_last" integer,
  "source" varchar,
  "cluster" varchar,
  "dt" varchar,
  "hh" varchar
) WITH (
  external_location = 's3://acme-lake/team/raw/v1/gpus/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt', 'hh']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_raw_gpus', mode => 'FULL');

DROP TABLE IF EXISTS objects_samples_gpus;
CREATE TABLE objects_samples_gpus (
  "ts" timestamp(3),
  "node" varchar,
  "gpu_index" integer,
  "gpu_uuid" varchar,
  "gpu_product" varchar,
  "mig_profile" varchar,
  "mig_instance" integer,
  "namespace" varchar,
  "pod" varchar,
  "container" varchar,
  "share_count" integer,
  "util_percent" double,
  "util_source" varchar,
  "memory_used_bytes" bigint,
  "memory_total_bytes" bigint,
  "power_watts" double,
  "energy_millijoules_total" bigint,
  "temperature_celsius" integer,
  "sm_clock_mhz" integer,
  "xid_last" integer,
  "source" varchar,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/samples/v1/gpus/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_samples_gpus', mode => 'FULL');

DROP TABLE IF EXISTS objects_raw_engines;
CREATE TABLE objects_raw_engines (
  "ts" timestamp(3),
  "namespace" varchar,
  "pod" varchar,
  "pod_uid" varchar,
  "engine" varchar,
  "model" varchar,
  "requests_running" bigint,
  "requests_waiting" bigint,
  "kv_cache_usage_ratio" double,
  "prompt_tokens_total" bigint,
  "generation_tokens_total" bigint,
  "requests_total" bigint,
  "preemptions_total" bigint,
  "prefix_cache_queries_total" bigint,
  "prefix_cache_hits_total" bigint,
  "ttft_seconds_sum" double,
  "ttft_seconds_count" bigint,
  "inter_token_seconds_sum" double,
  "inter_token_seconds_count" bigint,
  "e2e_seconds_sum" double,
  "e2e_seconds_count" bigint,
  "cluster" varchar,
  "dt" varchar,
  "hh" varchar
) WITH (
  external_location = 's3://acme-lake/team/raw/v1/engines/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt', 'hh']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_raw_engines', mode => 'FULL');

DROP TABLE IF EXISTS objects_samples_engines;
CREATE TABLE objects_samples_engines (
  "ts" timestamp(3),
  "namespace" varchar,
  "pod" varchar,
  "pod_uid" varchar,
  "engine" varchar,
  "model" varchar,
  "requests_running" bigint,
  "requests_waiting" bigint,
  "kv_cache_usage_ratio" double,
  "prompt_tokens_total" bigint,
  "generation_tokens_total" bigint,
  "requests_total" bigint,
  "preemptions_total" bigint,
  "prefix_cache_queries_total" bigint,
  "prefix_cache_hits_total" bigint,
  "ttft_seconds_sum" double,
  "ttft_seconds_count" bigint,
  "inter_token_seconds_sum" double,
  "inter_token_seconds_count" bigint,
  "e2e_seconds_sum" double,
  "e2e_seconds_count" bigint,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/samples/v1/engines/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_samples_engines', mode => 'FULL');

DROP TABLE IF EXISTS objects_raw_gaps;
CREATE TABLE objects_raw_gaps (
  "ts" timestamp(3),
  "source" varchar,
  "target" varchar,
  "reason" varchar,
  "cluster" varchar,
  "dt" varchar,
  "hh" varchar
) WITH (
  external_location = 's3://acme-lake/team/raw/v1/gaps/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt', 'hh']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_raw_gaps', mode => 'FULL');

DROP TABLE IF EXISTS objects_samples_gaps;
CREATE TABLE objects_samples_gaps (
  "ts" timestamp(3),
  "source" varchar,
  "target" varchar,
  "reason" varchar,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/samples/v1/gaps/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_samples_gaps', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_models;
CREATE TABLE objects_hourly_models (
  "hour" timestamp(3),
  "namespace" varchar,
  "engine" varchar,
  "model" varchar,
  "samples" integer,
  "expected_samples" integer,
  "cpu_usage_millicores_avg" double,
  "cpu_usage_millicores_p50" double,
  "cpu_usage_millicores_p95" double,
  "cpu_usage_millicores_max" double,
  "memory_usage_bytes_avg" double,
  "memory_usage_bytes_p50" double,
  "memory_usage_bytes_p95" double,
  "memory_usage_bytes_max" double,
  "gpu_util_percent_avg" double,
  "gpu_util_percent_p50" double,
  "gpu_util_percent_p95" double,
  "gpu_util_percent_max" double,
  "gpu_memory_used_bytes_avg" double,
  "gpu_memory_used_bytes_p50" double,
  "gpu_memory_used_bytes_p95" double,
  "gpu_memory_used_bytes_max" double,
  "gpu_power_watts_avg" double,
  "gpu_power_watts_p50" double,
  "gpu_power_watts_p95" double,
  "gpu_power_watts_max" double,
  "requests_running_avg" double,
  "requests_running_p50" double,
  "requests_running_p95" double,
  "requests_running_max" double,
  "requests_waiting_avg" double,
  "requests_waiting_p50" double,
  "requests_waiting_p95" double,
  "requests_waiting_max" double,
  "kv_cache_usage_ratio_avg" double,
  "kv_cache_usage_ratio_p50" double,
  "kv_cache_usage_ratio_p95" double,
  "kv_cache_usage_ratio_max" double,
  "pods_avg" double,
  "pods_p50" double,
  "pods_p95" double,
  "pods_max" double,
  "replicas_avg" double,
  "replicas_p50" double,
  "replicas_p95" double,
  "replicas_max" double,
  "cpu_request_millicores_avg" double,
  "memory_request_bytes_avg" double,
  "cpu_p95_of_request_percent" double,
  "memory_p95_of_request_percent" double,
  "gpu_hours_allocated" double,
  "gpu_hours_active" double,
  "gpu_hours_idle_held" double,
  "gpu_hours_loading" double,
  "gpu_hours_unknown" double,
  "gpu_hours_unallocated" double,
  "gpu_hours_total" double,
  "prompt_tokens" bigint,
  "generation_tokens" bigint,
  "requests" bigint,
  "preemptions" bigint,
  "prefix_cache_queries" bigint,
  "prefix_cache_hits" bigint,
  "energy_millijoules" bigint,
  "restarts" bigint,
  "ttft_seconds_avg" double,
  "inter_token_seconds_avg" double,
  "e2e_seconds_avg" double,
  "tokens_per_gpu_hour" double,
  "tokens_per_kilowatt_hour" double,
  "cost" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/models/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_models', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_workloads;
CREATE TABLE objects_hourly_workloads (
  "hour" timestamp(3),
  "namespace" varchar,
  "owner_kind" varchar,
  "owner" varchar,
  "samples" integer,
  "expected_samples" integer,
  "cpu_usage_millicores_avg" double,
  "cpu_usage_millicores_p50" double,
  "cpu_usage_millicores_p95" double,
  "cpu_usage_millicores_max" double,
  "memory_usage_bytes_avg" double,
  "memory_usage_bytes_p50" double,
  "memory_usage_bytes_p95" double,
  "memory_usage_bytes_max" double,
  "gpu_util_percent_avg" double,
  "gpu_util_percent_p50" double,
  "gpu_util_percent_p95" double,
  "gpu_util_percent_max" double,
  "gpu_memory_used_bytes_avg" double,
  "gpu_memory_used_bytes_p50" double,
  "gpu_memory_used_bytes_p95" double,
  "gpu_memory_used_bytes_max" double,
  "gpu_power_watts_avg" double,
  "gpu_power_watts_p50" double,
  "gpu_power_watts_p95" double,
  "gpu_power_watts_max" double,
  "requests_running_avg" double,
  "requests_running_p50" double,
  "requests_running_p95" double,
  "requests_running_max" double,
  "requests_waiting_avg" double,
  "requests_waiting_p50" double,
  "requests_waiting_p95" double,
  "requests_waiting_max" double,
  "kv_cache_usage_ratio_avg" double,
  "kv_cache_usage_ratio_p50" double,
  "kv_cache_usage_ratio_p95" double,
  "kv_cache_usage_ratio_max" double,
  "pods_avg" double,
  "pods_p50" double,
  "pods_p95" double,
  "pods_max" double,
  "replicas_avg" double,
  "replicas_p50" double,
  "replicas_p95" double,
  "replicas_max" double,
  "cpu_request_millicores_avg" double,
  "memory_request_bytes_avg" double,
  "cpu_p95_of_request_percent" double,
  "memory_p95_of_request_percent" double,
  "gpu_hours_allocated" double,
  "gpu_hours_active" double,
  "gpu_hours_idle_held" double,
  "gpu_hours_loading" double,
  "gpu_hours_unknown" double,
  "gpu_hours_unallocated" double,
  "gpu_hours_total" double,
  "prompt_tokens" bigint,
  "generation_tokens" bigint,
  "requests" bigint,
  "preemptions" bigint,
  "prefix_cache_queries" bigint,
  "prefix_cache_hits" bigint,
  "energy_millijoules" bigint,
  "restarts" bigint,
  "ttft_seconds_avg" double,
  "inter_token_seconds_avg" double,
  "e2e_seconds_avg" double,
  "tokens_per_gpu_hour" double,
  "tokens_per_kilowatt_hour" double,
  "cost" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/workloads/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_workloads', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_namespaces;
CREATE TABLE objects_hourly_namespaces (
  "hour" timestamp(3),
  "namespace" varchar,
  "samples" integer,
  "expected_samples" integer,
  "cpu_usage_millicores_avg" double,
  "cpu_usage_millicores_p50" double,
  "cpu_usage_millicores_p95" double,
  "cpu_usage_millicores_max" double,
  "memory_usage_bytes_avg" double,
  "memory_usage_bytes_p50" double,
  "memory_usage_bytes_p95" double,
  "memory_usage_bytes_max" double,
  "gpu_util_percent_avg" double,
  "gpu_util_percent_p50" double,
  "gpu_util_percent_p95" double,
  "gpu_util_percent_max" double,
  "gpu_memory_used_bytes_avg" double,
  "gpu_memory_used_bytes_p50" double,
  "gpu_memory_used_bytes_p95" double,
  "gpu_memory_used_bytes_max" double,
  "gpu_power_watts_avg" double,
  "gpu_power_watts_p50" double,
  "gpu_power_watts_p95" double,
  "gpu_power_watts_max" double,
  "requests_running_avg" double,
  "requests_running_p50" double,
  "requests_running_p95" double,
  "requests_running_max" double,
  "requests_waiting_avg" double,
  "requests_waiting_p50" double,
  "requests_waiting_p95" double,
  "requests_waiting_max" double,
  "kv_cache_usage_ratio_avg" double,
  "kv_cache_usage_ratio_p50" double,
  "kv_cache_usage_ratio_p95" double,
  "kv_cache_usage_ratio_max" double,
  "pods_avg" double,
  "pods_p50" double,
  "pods_p95" double,
  "pods_max" double,
  "replicas_avg" double,
  "replicas_p50" double,
  "replicas_p95" double,
  "replicas_max" double,
  "cpu_request_millicores_avg" double,
  "memory_request_bytes_avg" double,
  "cpu_p95_of_request_percent" double,
  "memory_p95_of_request_percent" double,
  "gpu_hours_allocated" double,
  "gpu_hours_active" double,
  "gpu_hours_idle_held" double,
  "gpu_hours_loading" double,
  "gpu_hours_unknown" double,
  "gpu_hours_unallocated" double,
  "gpu_hours_total" double,
  "prompt_tokens" bigint,
  "generation_tokens" bigint,
  "requests" bigint,
  "preemptions" bigint,
  "prefix_cache_queries" bigint,
  "prefix_cache_hits" bigint,
  "energy_millijoules" bigint,
  "restarts" bigint,
  "ttft_seconds_avg" double,
  "inter_token_seconds_avg" double,
  "e2e_seconds_avg" double,
  "tokens_per_gpu_hour" double,
  "tokens_per_kilowatt_hour" double,
  "cost" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/namespaces/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_namespaces', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_nodes;
CREATE TABLE objects_hourly_nodes (
  "hour" timestamp(3),
  "node" varchar,
  "gpu_product" varchar,
  "samples" integer,
  "expected_samples" integer,
  "cpu_usage_millicores_avg" double,
  "cpu_usage_millicores_p50" double,
  "cpu_usage_millicores_p95" double,
  "cpu_usage_millicores_max" double,
  "memory_usage_bytes_avg" double,
  "memory_usage_bytes_p50" double,
  "memory_usage_bytes_p95" double,
  "memory_usage_bytes_max" double,
  "gpu_util_percent_avg" double,
  "gpu_util_percent_p50" double,
  "gpu_util_percent_p95" double,
  "gpu_util_percent_max" double,
  "gpu_memory_used_bytes_avg" double,
  "gpu_memory_used_bytes_p50" double,
  "gpu_memory_used_bytes_p95" double,
  "gpu_memory_used_bytes_max" double,
  "gpu_power_watts_avg" double,
  "gpu_power_watts_p50" double,
  "gpu_power_watts_p95" double,
  "gpu_power_watts_max" double,
  "requests_running_avg" double,
  "requests_running_p50" double,
  "requests_running_p95" double,
  "requests_running_max" double,
  "requests_waiting_avg" double,
  "requests_waiting_p50" double,
  "requests_waiting_p95" double,
  "requests_waiting_max" double,
  "kv_cache_usage_ratio_avg" double,
  "kv_cache_usage_ratio_p50" double,
  "kv_cache_usage_ratio_p95" double,
  "kv_cache_usage_ratio_max" double,
  "pods_avg" double,
  "pods_p50" double,
  "pods_p95" double,
  "pods_max" double,
  "replicas_avg" double,
  "replicas_p50" double,
  "replicas_p95" double,
  "replicas_max" double,
  "cpu_request_millicores_avg" double,
  "memory_request_bytes_avg" double,
  "cpu_p95_of_request_percent" double,
  "memory_p95_of_request_percent" double,
  "gpu_hours_allocated" double,
  "gpu_hours_active" double,
  "gpu_hours_idle_held" double,
  "gpu_hours_loading" double,
  "gpu_hours_unknown" double,
  "gpu_hours_unallocated" double,
  "gpu_hours_total" double,
  "prompt_tokens" bigint,
  "generation_tokens" bigint,
  "requests" bigint,
  "preemptions" bigint,
  "prefix_cache_queries" bigint,
  "prefix_cache_hits" bigint,
  "energy_millijoules" bigint,
  "restarts" bigint,
  "ttft_seconds_avg" double,
  "inter_token_seconds_avg" double,
  "e2e_seconds_avg" double,
  "tokens_per_gpu_hour" double,
  "tokens_per_kilowatt_hour" double,
  "cost" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/nodes/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_nodes', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_pods;
CREATE TABLE objects_hourly_pods (
  "hour" timestamp(3),
  "namespace" varchar,
  "pod" varchar,
  "pod_uid" varchar,
  "node" varchar,
  "engine" varchar,
  "model" varchar,
  "samples" integer,
  "expected_samples" integer,
  "cpu_usage_millicores_avg" double,
  "cpu_usage_millicores_p50" double,
  "cpu_usage_millicores_p95" double,
  "cpu_usage_millicores_max" double,
  "memory_usage_bytes_avg" double,
  "memory_usage_bytes_p50" double,
  "memory_usage_bytes_p95" double,
  "memory_usage_bytes_max" double,
  "gpu_util_percent_avg" double,
  "gpu_util_percent_p50" double,
  "gpu_util_percent_p95" double,
  "gpu_util_percent_max" double,
  "gpu_memory_used_bytes_avg" double,
  "gpu_memory_used_bytes_p50" double,
  "gpu_memory_used_bytes_p95" double,
  "gpu_memory_used_bytes_max" double,
  "gpu_power_watts_avg" double,
  "gpu_power_watts_p50" double,
  "gpu_power_watts_p95" double,
  "gpu_power_watts_max" double,
  "requests_running_avg" double,
  "requests_running_p50" double,
  "requests_running_p95" double,
  "requests_running_max" double,
  "requests_waiting_avg" double,
  "requests_waiting_p50" double,
  "requests_waiting_p95" double,
  "requests_waiting_max" double,
  "kv_cache_usage_ratio_avg" double,
  "kv_cache_usage_ratio_p50" double,
  "kv_cache_usage_ratio_p95" double,
  "kv_cache_usage_ratio_max" double,
  "pods_avg" double,
  "pods_p50" double,
  "pods_p95" double,
  "pods_max" double,
  "replicas_avg" double,
  "replicas_p50" double,
  "replicas_p95" double,
  "replicas_max" double,
  "cpu_request_millicores_avg" double,
  "memory_request_bytes_avg" double,
  "cpu_p95_of_request_percent" double,
  "memory_p95_of_request_percent" double,
  "gpu_hours_allocated" double,
  "gpu_hours_active" double,
  "gpu_hours_idle_held" double,
  "gpu_hours_loading" double,
  "gpu_hours_unknown" double,
  "gpu_hours_unallocated" double,
  "gpu_hours_total" double,
  "prompt_tokens" bigint,
  "generation_tokens" bigint,
  "requests" bigint,
  "preemptions" bigint,
  "prefix_cache_queries" bigint,
  "prefix_cache_hits" bigint,
  "energy_millijoules" bigint,
  "restarts" bigint,
  "ttft_seconds_avg" double,
  "inter_token_seconds_avg" double,
  "e2e_seconds_avg" double,
  "tokens_per_gpu_hour" double,
  "tokens_per_kilowatt_hour" double,
  "cost" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/pods/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_pods', mode => 'FULL');

DROP TABLE IF EXISTS objects_hourly_cluster;
CREATE TABLE objects_hourly_cluster (
  "hour" timestamp(3),
  "samples" integer,
  "expected_samples" integer,
  "cpu_usage_millicores_avg" double,
  "cpu_usage_millicores_p50" double,
  "cpu_usage_millicores_p95" double,
  "cpu_usage_millicores_max" double,
  "memory_usage_bytes_avg" double,
  "memory_usage_bytes_p50" double,
  "memory_usage_bytes_p95" double,
  "memory_usage_bytes_max" double,
  "gpu_util_percent_avg" double,
  "gpu_util_percent_p50" double,
  "gpu_util_percent_p95" double,
  "gpu_util_percent_max" double,
  "gpu_memory_used_bytes_avg" double,
  "gpu_memory_used_bytes_p50" double,
  "gpu_memory_used_bytes_p95" double,
  "gpu_memory_used_bytes_max" double,
  "gpu_power_watts_avg" double,
  "gpu_power_watts_p50" double,
  "gpu_power_watts_p95" double,
  "gpu_power_watts_max" double,
  "requests_running_avg" double,
  "requests_running_p50" double,
  "requests_running_p95" double,
  "requests_running_max" double,
  "requests_waiting_avg" double,
  "requests_waiting_p50" double,
  "requests_waiting_p95" double,
  "requests_waiting_max" double,
  "kv_cache_usage_ratio_avg" double,
  "kv_cache_usage_ratio_p50" double,
  "kv_cache_usage_ratio_p95" double,
  "kv_cache_usage_ratio_max" double,
  "pods_avg" double,
  "pods_p50" double,
  "pods_p95" double,
  "pods_max" double,
  "replicas_avg" double,
  "replicas_p50" double,
  "replicas_p95" double,
  "replicas_max" double,
  "cpu_request_millicores_avg" double,
  "memory_request_bytes_avg" double,
  "cpu_p95_of_request_percent" double,
  "memory_p95_of_request_percent" double,
  "gpu_hours_allocated" double,
  "gpu_hours_active" double,
  "gpu_hours_idle_held" double,
  "gpu_hours_loading" double,
  "gpu_hours_unknown" double,
  "gpu_hours_unallocated" double,
  "gpu_hours_total" double,
  "prompt_tokens" bigint,
  "generation_tokens" bigint,
  "requests" bigint,
  "preemptions" bigint,
  "prefix_cache_queries" bigint,
  "prefix_cache_hits" bigint,
  "energy_millijoules" bigint,
  "restarts" bigint,
  "ttft_seconds_avg" double,
  "inter_token_seconds_avg" double,
  "e2e_seconds_avg" double,
  "tokens_per_gpu_hour" double,
  "tokens_per_kilowatt_hour" double,
  "cost" double,
  "cluster" varchar,
  "dt" varchar
) WITH (
  external_location = 's3://acme-lake/team/hourly/v1/cluster/',
  format = 'PARQUET',
  partitioned_by = ARRAY['cluster', 'dt']
);
CALL system.sync_partition_metadata(schema_name => 'k8s_monitor', table_name => 'objects_hourly_cluster', mode => 'FULL');

CREATE OR REPLACE VIEW nodes AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM objects_samples_nodes
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM objects_samples_nodes
  UNION ALL
  SELECT *
  FROM objects_raw_nodes AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT stored.*,
  CASE WHEN stored.cpu_allocatable_millicores > 0 THEN 100e0 * stored.cpu_usage_millicores / stored.cpu_allocatable_millicores END AS cpu_percent,
  CASE WHEN stored.memory_allocatable_bytes > 0 THEN 100e0 * stored.memory_usage_bytes / stored.memory_allocatable_bytes END AS memory_percent
FROM stored;

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

CREATE OR REPLACE VIEW gpus AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM objects_samples_gpus
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM objects_samples_gpus
  UNION ALL
  SELECT *
  FROM objects_raw_gpus AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT stored.*,
  CASE WHEN stored.memory_total_bytes > 0 THEN 100e0 * stored.memory_used_bytes / stored.memory_total_bytes END AS gpu_memory_percent
FROM stored;

CREATE OR REPLACE VIEW engines AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM objects_samples_engines
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM objects_samples_engines
  UNION ALL
  SELECT *
  FROM objects_raw_engines AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW gaps AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM objects_samples_gaps
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM objects_samples_gaps
  UNION ALL
  SELECT *
  FROM objects_raw_gaps AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW hourly_models AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_models
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW hourly_workloads AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_workloads
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW hourly_namespaces AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_namespaces
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW hourly_nodes AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_nodes
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW hourly_pods AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_pods
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW hourly_cluster AS
WITH stored AS (
  SELECT *
  FROM objects_hourly_cluster
)
SELECT * FROM stored;
