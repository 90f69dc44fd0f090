-- The bucket "s3://acme-lake/team" for Athena, by k8s-monitor sql athena. Athena takes one statement at a time.
CREATE DATABASE IF NOT EXISTS k8s_monitor;

DROP TABLE IF EXISTS `k8s_monitor`.`objects_raw_nodes`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_raw_nodes` (
  `ts` timestamp,
  `node` string,
  `ready` boolean,
  `unschedulable` boolean,
  `roles` string,
  `pressure` string,
  `instance_type` string,
  `zone` string,
  `kubelet_version` string,
  `created_at` timestamp,
  `cpu_capacity_millicores` bigint,
  `cpu_allocatable_millicores` bigint,
  `cpu_requested_millicores` bigint,
  `cpu_usage_millicores` bigint,
  `memory_capacity_bytes` bigint,
  `memory_allocatable_bytes` bigint,
  `memory_requested_bytes` bigint,
  `memory_usage_bytes` bigint,
  `pods_allocatable` int,
  `pods_running` int,
  `gpu_product` string,
  `gpu_allocatable` int,
  `gpu_requested` int
)
PARTITIONED BY (`cluster` string, `dt` string, `hh` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/raw/v1/nodes/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-10DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hh.type' = 'integer',
  'projection.hh.range' = '0,23',
  'projection.hh.digits' = '2'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_samples_nodes`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_samples_nodes` (
  `ts` timestamp,
  `node` string,
  `ready` boolean,
  `unschedulable` boolean,
  `roles` string,
  `pressure` string,
  `instance_type` string,
  `zone` string,
  `kubelet_version` string,
  `created_at` timestamp,
  `cpu_capacity_millicores` bigint,
  `cpu_allocatable_millicores` bigint,
  `cpu_requested_millicores` bigint,
  `cpu_usage_millicores` bigint,
  `memory_capacity_bytes` bigint,
  `memory_allocatable_bytes` bigint,
  `memory_requested_bytes` bigint,
  `memory_usage_bytes` bigint,
  `pods_allocatable` int,
  `pods_running` int,
  `gpu_product` string,
  `gpu_allocatable` int,
  `gpu_requested` int
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/samples/v1/nodes/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-15DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_raw_pods`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_raw_pods` (
  `ts` timestamp,
  `namespace` string,
  `pod` string,
  `pod_uid` string,
  `node` string,
  `owner_kind` string,
  `owner` string,
  `phase` string,
  `reason` string,
  `ready` boolean,
  `restarts` int,
  `created_at` timestamp,
  `started_at` timestamp,
  `image` string,
  `engine` string,
  `model` string,
  `model_path` string,
  `role` string,
  `replica_group` string,
  `identified_by` string,
  `cpu_usage_millicores` bigint,
  `cpu_request_millicores` bigint,
  `cpu_limit_millicores` bigint,
  `memory_usage_bytes` bigint,
  `memory_request_bytes` bigint,
  `memory_limit_bytes` bigint,
  `gpu_request` int,
  `gpu_util_percent` double,
  `gpu_memory_used_bytes` bigint,
  `gpu_memory_total_bytes` bigint,
  `gpu_power_watts` double,
  `gpu_attribution` string
)
PARTITIONED BY (`cluster` string, `dt` string, `hh` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/raw/v1/pods/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-10DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hh.type' = 'integer',
  'projection.hh.range' = '0,23',
  'projection.hh.digits' = '2'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_samples_pods`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_samples_pods` (
  `ts` timestamp,
  `namespace` string,
  `pod` string,
  `pod_uid` string,
  `node` string,
  `owner_kind` string,
  `owner` string,
  `phase` string,
  `reason` string,
  `ready` boolean,
  `restarts` int,
  `created_at` timestamp,
  `started_at` timestamp,
  `image` string,
  `engine` string,
  `model` string,
  `model_path` string,
  `role` string,
  `replica_group` string,
  `identified_by` string,
  `cpu_usage_millicores` bigint,
  `cpu_request_millicores` bigint,
  `cpu_limit_millicores` bigint,
  `memory_usage_bytes` bigint,
  `memory_request_bytes` bigint,
  `memory_limit_bytes` bigint,
  `gpu_request` int,
  `gpu_util_percent` double,
  `gpu_memory_used_bytes` bigint,
  `gpu_memory_total_bytes` bigint,
  `gpu_power_watts` double,
  `gpu_attribution` string
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/samples/v1/pods/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-15DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_raw_gpus`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_raw_gpus` (
  `ts` timestamp,
  `node` string,
  `gpu_index` int,
  `gpu_uuid` string,
  `gpu_product` string,
  `mig_profile` string,
  `mig_instance` int,
  `namespace` string,
  `pod` string,
  `container` string,
  `share_count` int,
  `util_percent` double,
  `util_source` string,
  `memory_used_bytes` bigint,
  `memory_total_bytes` bigint,
  `power_watts` double,
  `energy_millijoules_total` bigint,
  `temperature_celsius` int,
  `sm_clock_mhz` int,
  `xid_last` int,
  `source` string
)
PARTITIONED BY (`cluster` string, `dt` string, `hh` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/raw/v1/gpus/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-10DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hh.type' = 'integer',
  'projection.hh.range' = '0,23',
  'projection.hh.digits' = '2'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_samples_gpus`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_samples_gpus` (
  `ts` timestamp,
  `node` string,
  `gpu_index` int,
  `gpu_uuid` string,
  `gpu_product` string,
  `mig_profile` string,
  `mig_instance` int,
  `namespace` string,
  `pod` string,
  `container` string,
  `share_count` int,
  `util_percent` double,
  `util_source` string,
  `memory_used_bytes` bigint,
  `memory_total_bytes` bigint,
  `power_watts` double,
  `energy_millijoules_total` bigint,
  `temperature_celsius` int,
  `sm_clock_mhz` int,
  `xid_last` int,
  `source` string
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/samples/v1/gpus/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-15DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_raw_engines`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_raw_engines` (
  `ts` timestamp,
  `namespace` string,
  `pod` string,
  `pod_uid` string,
  `engine` string,
  `model` string,
  `requests_running` bigint,
  `requests_waiting` bigint,
  `kv_cache_usage_ratio` double,
  `prompt_tokens_total` bigint,
  `generation_tokens_total` bigint,
  `requests_total` bigint,
  `preemptions_total` bigint,
  `prefix_cache_queries_total` bigint,
  `prefix_cache_hits_total` bigint,
  `ttft_seconds_sum` double,
  `ttft_seconds_count` bigint,
  `inter_token_seconds_sum` double,
  `inter_token_seconds_count` bigint,
  `e2e_seconds_sum` double,
  `e2e_seconds_count` bigint
)
PARTITIONED BY (`cluster` string, `dt` string, `hh` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/raw/v1/engines/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-10DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hh.type' = 'integer',
  'projection.hh.range' = '0,23',
  'projection.hh.digits' = '2'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_samples_engines`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_samples_engines` (
  `ts` timestamp,
  `namespace` string,
  `pod` string,
  `pod_uid` string,
  `engine` string,
  `model` string,
  `requests_running` bigint,
  `requests_waiting` bigint,
  `kv_cache_usage_ratio` double,
  `prompt_tokens_total` bigint,
  `generation_tokens_total` bigint,
  `requests_total` bigint,
  `preemptions_total` bigint,
  `prefix_cache_queries_total` bigint,
  `prefix_cache_hits_total` bigint,
  `ttft_seconds_sum` double,
  `ttft_seconds_count` bigint,
  `inter_token_seconds_sum` double,
  `inter_token_seconds_count` bigint,
  `e2e_seconds_sum` double,
  `e2e_seconds_count` bigint
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/samples/v1/engines/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-15DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_raw_gaps`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_raw_gaps` (
  `ts` timestamp,
  `source` string,
  `target` string,
  `reason` string
)
PARTITIONED BY (`cluster` string, `dt` string, `hh` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/raw/v1/gaps/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-10DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hh.type' = 'integer',
  'projection.hh.range' = '0,23',
  'projection.hh.digits' = '2'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_samples_gaps`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_samples_gaps` (
  `ts` timestamp,
  `source` string,
  `target` string,
  `reason` string
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/samples/v1/gaps/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-15DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_hourly_models`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_hourly_models` (
  `hour` timestamp,
  `namespace` string,
  `engine` string,
  `model` string,
  `samples` int,
  `expected_samples` int,
  `cpu_usage_millicores_avg` double,
  `cpu_usage_millicores_p50` double,
  `cpu_usage_millicores_p95` double,
  `cpu_usage_millicores_max` double,
  `memory_usage_bytes_avg` double,
  `memory_usage_bytes_p50` double,
  `memory_usage_bytes_p95` double,
  `memory_usage_bytes_max` double,
  `gpu_util_percent_avg` double,
  `gpu_util_percent_p50` double,
  `gpu_util_percent_p95` double,
  `gpu_util_percent_max` double,
  `gpu_memory_used_bytes_avg` double,
  `gpu_memory_used_bytes_p50` double,
  `gpu_memory_used_bytes_p95` double,
  `gpu_memory_used_bytes_max` double,
  `gpu_power_watts_avg` double,
  `gpu_power_watts_p50` double,
  `gpu_power_watts_p95` double,
  `gpu_power_watts_max` double,
  `requests_running_avg` double,
  `requests_running_p50` double,
  `requests_running_p95` double,
  `requests_running_max` double,
  `requests_waiting_avg` double,
  `requests_waiting_p50` double,
  `requests_waiting_p95` double,
  `requests_waiting_max` double,
  `kv_cache_usage_ratio_avg` double,
  `kv_cache_usage_ratio_p50` double,
  `kv_cache_usage_ratio_p95` double,
  `kv_cache_usage_ratio_max` double,
  `pods_avg` double,
  `pods_p50` double,
  `pods_p95` double,
  `pods_max` double,
  `replicas_avg` double,
  `replicas_p50` double,
  `replicas_p95` double,
  `replicas_max` double,
  `cpu_request_millicores_avg` double,
  `memory_request_bytes_avg` double,
  `cpu_p95_of_request_percent` double,
  `memory_p95_of_request_percent` double,
  `gpu_hours_allocated` double,
  `gpu_hours_active` double,
  `gpu_hours_idle_held` double,
  `gpu_hours_loading` double,
  `gpu_hours_unknown` double,
  `gpu_hours_unallocated` double,
  `gpu_hours_total` double,
  `prompt_tokens` bigint,
  `generation_tokens` bigint,
  `requests` bigint,
  `preemptions` bigint,
  `prefix_cache_queries` bigint,
  `prefix_cache_hits` bigint,
  `energy_millijoules` bigint,
  `restarts` bigint,
  `ttft_seconds_avg` double,
  `inter_token_seconds_avg` double,
  `e2e_seconds_avg` double,
  `tokens_per_gpu_hour` double,
  `tokens_per_kilowatt_hour` double,
  `cost` double
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/hourly/v1/models/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-408DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_hourly_workloads`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_hourly_workloads` (
  `hour` timestamp,
  `namespace` string,
  `owner_kind` string,
  `owner` string,
  `samples` int,
  `expected_samples` int,
  `cpu_usage_millicores_avg` double,
  `cpu_usage_millicores_p50` double,
  `cpu_usage_millicores_p95` double,
  `cpu_usage_millicores_max` double,
  `memory_usage_bytes_avg` double,
  `memory_usage_bytes_p50` double,
  `memory_usage_bytes_p95` double,
  `memory_usage_bytes_max` double,
  `gpu_util_percent_avg` double,
  `gpu_util_percent_p50` double,
  `gpu_util_percent_p95` double,
  `gpu_util_percent_max` double,
  `gpu_memory_used_bytes_avg` double,
  `gpu_memory_used_bytes_p50` double,
  `gpu_memory_used_bytes_p95` double,
  `gpu_memory_used_bytes_max` double,
  `gpu_power_watts_avg` double,
  `gpu_power_watts_p50` double,
  `gpu_power_watts_p95` double,
  `gpu_power_watts_max` double,
  `requests_running_avg` double,
  `requests_running_p50` double,
  `requests_running_p95` double,
  `requests_running_max` double,
  `requests_waiting_avg` double,
  `requests_waiting_p50` double,
  `requests_waiting_p95` double,
  `requests_waiting_max` double,
  `kv_cache_usage_ratio_avg` double,
  `kv_cache_usage_ratio_p50` double,
  `kv_cache_usage_ratio_p95` double,
  `kv_cache_usage_ratio_max` double,
  `pods_avg` double,
  `pods_p50` double,
  `pods_p95` double,
  `pods_max` double,
  `replicas_avg` double,
  `replicas_p50` double,
  `replicas_p95` double,
  `replicas_max` double,
  `cpu_request_millicores_avg` double,
  `memory_request_bytes_avg` double,
  `cpu_p95_of_request_percent` double,
  `memory_p95_of_request_percent` double,
  `gpu_hours_allocated` double,
  `gpu_hours_active` double,
  `gpu_hours_idle_held` double,
  `gpu_hours_loading` double,
  `gpu_hours_unknown` double,
  `gpu_hours_unallocated` double,
  `gpu_hours_total` double,
  `prompt_tokens` bigint,
  `generation_tokens` bigint,
  `requests` bigint,
  `preemptions` bigint,
  `prefix_cache_queries` bigint,
  `prefix_cache_hits` bigint,
  `energy_millijoules` bigint,
  `restarts` bigint,
  `ttft_seconds_avg` double,
  `inter_token_seconds_avg` double,
  `e2e_seconds_avg` double,
  `tokens_per_gpu_hour` double,
  `tokens_per_kilowatt_hour` double,
  `cost` double
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/hourly/v1/workloads/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-408DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_hourly_namespaces`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_hourly_namespaces` (
  `hour` timestamp,
  `namespace` string,
  `samples` int,
  `expected_samples` int,
  `cpu_usage_millicores_avg` double,
  `cpu_usage_millicores_p50` double,
  `cpu_usage_millicores_p95` double,
  `cpu_usage_millicores_max` double,
  `memory_usage_bytes_avg` double,
  `memory_usage_bytes_p50` double,
  `memory_usage_bytes_p95` double,
  `memory_usage_bytes_max` double,
  `gpu_util_percent_avg` double,
  `gpu_util_percent_p50` double,
  `gpu_util_percent_p95` double,
  `gpu_util_percent_max` double,
  `gpu_memory_used_bytes_avg` double,
  `gpu_memory_used_bytes_p50` double,
  `gpu_memory_used_bytes_p95` double,
  `gpu_memory_used_bytes_max` double,
  `gpu_power_watts_avg` double,
  `gpu_power_watts_p50` double,
  `gpu_power_watts_p95` double,
  `gpu_power_watts_max` double,
  `requests_running_avg` double,
  `requests_running_p50` double,
  `requests_running_p95` double,
  `requests_running_max` double,
  `requests_waiting_avg` double,
  `requests_waiting_p50` double,
  `requests_waiting_p95` double,
  `requests_waiting_max` double,
  `kv_cache_usage_ratio_avg` double,
  `kv_cache_usage_ratio_p50` double,
  `kv_cache_usage_ratio_p95` double,
  `kv_cache_usage_ratio_max` double,
  `pods_avg` double,
  `pods_p50` double,
  `pods_p95` double,
  `pods_max` double,
  `replicas_avg` double,
  `replicas_p50` double,
  `replicas_p95` double,
  `replicas_max` double,
  `cpu_request_millicores_avg` double,
  `memory_request_bytes_avg` double,
  `cpu_p95_of_request_percent` double,
  `memory_p95_of_request_percent` double,
  `gpu_hours_allocated` double,
  `gpu_hours_active` double,
  `gpu_hours_idle_held` double,
  `gpu_hours_loading` double,
  `gpu_hours_unknown` double,
  `gpu_hours_unallocated` double,
  `gpu_hours_total` double,
  `prompt_tokens` bigint,
  `generation_tokens` bigint,
  `requests` bigint,
  `preemptions` bigint,
  `prefix_cache_queries` bigint,
  `prefix_cache_hits` bigint,
  `energy_millijoules` bigint,
  `restarts` bigint,
  `ttft_seconds_avg` double,
  `inter_token_seconds_avg` double,
  `e2e_seconds_avg` double,
  `tokens_per_gpu_hour` double,
  `tokens_per_kilowatt_hour` double,
  `cost` double
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/hourly/v1/namespaces/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-408DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_hourly_nodes`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_hourly_nodes` (
  `hour` timestamp,
  `node` string,
  `gpu_product` string,
  `samples` int,
  `expected_samples` int,
  `cpu_usage_millicores_avg` double,
  `cpu_usage_millicores_p50` double,
  `cpu_usage_millicores_p95` double,
  `cpu_usage_millicores_max` double,
  `memory_usage_bytes_avg` double,
  `memory_usage_bytes_p50` double,
  `memory_usage_bytes_p95` double,
  `memory_usage_bytes_max` double,
  `gpu_util_percent_avg` double,
  `gpu_util_percent_p50` double,
  `gpu_util_percent_p95` double,
  `gpu_util_percent_max` double,
  `gpu_memory_used_bytes_avg` double,
  `gpu_memory_used_bytes_p50` double,
  `gpu_memory_used_bytes_p95` double,
  `gpu_memory_used_bytes_max` double,
  `gpu_power_watts_avg` double,
  `gpu_power_watts_p50` double,
  `gpu_power_watts_p95` double,
  `gpu_power_watts_max` double,
  `requests_running_avg` double,
  `requests_running_p50` double,
  `requests_running_p95` double,
  `requests_running_max` double,
  `requests_waiting_avg` double,
  `requests_waiting_p50` double,
  `requests_waiting_p95` double,
  `requests_waiting_max` double,
  `kv_cache_usage_ratio_avg` double,
  `kv_cache_usage_ratio_p50` double,
  `kv_cache_usage_ratio_p95` double,
  `kv_cache_usage_ratio_max` double,
  `pods_avg` double,
  `pods_p50` double,
  `pods_p95` double,
  `pods_max` double,
  `replicas_avg` double,
  `replicas_p50` double,
  `replicas_p95` double,
  `replicas_max` double,
  `cpu_request_millicores_avg` double,
  `memory_request_bytes_avg` double,
  `cpu_p95_of_request_percent` double,
  `memory_p95_of_request_percent` double,
  `gpu_hours_allocated` double,
  `gpu_hours_active` double,
  `gpu_hours_idle_held` double,
  `gpu_hours_loading` double,
  `gpu_hours_unknown` double,
  `gpu_hours_unallocated` double,
  `gpu_hours_total` double,
  `prompt_tokens` bigint,
  `generation_tokens` bigint,
  `requests` bigint,
  `preemptions` bigint,
  `prefix_cache_queries` bigint,
  `prefix_cache_hits` bigint,
  `energy_millijoules` bigint,
  `restarts` bigint,
  `ttft_seconds_avg` double,
  `inter_token_seconds_avg` double,
  `e2e_seconds_avg` double,
  `tokens_per_gpu_hour` double,
  `tokens_per_kilowatt_hour` double,
  `cost` double
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/hourly/v1/nodes/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-408DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_hourly_pods`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_hourly_pods` (
  `hour` timestamp,
  `namespace` string,
  `pod` string,
  `pod_uid` string,
  `node` string,
  `engine` string,
  `model` string,
  `samples` int,
  `expected_samples` int,
  `cpu_usage_millicores_avg` double,
  `cpu_usage_millicores_p50` double,
  `cpu_usage_millicores_p95` double,
  `cpu_usage_millicores_max` double,
  `memory_usage_bytes_avg` double,
  `memory_usage_bytes_p50` double,
  `memory_usage_bytes_p95` double,
  `memory_usage_bytes_max` double,
  `gpu_util_percent_avg` double,
  `gpu_util_percent_p50` double,
  `gpu_util_percent_p95` double,
  `gpu_util_percent_max` double,
  `gpu_memory_used_bytes_avg` double,
  `gpu_memory_used_bytes_p50` double,
  `gpu_memory_used_bytes_p95` double,
  `gpu_memory_used_bytes_max` double,
  `gpu_power_watts_avg` double,
  `gpu_power_watts_p50` double,
  `gpu_power_watts_p95` double,
  `gpu_power_watts_max` double,
  `requests_running_avg` double,
  `requests_running_p50` double,
  `requests_running_p95` double,
  `requests_running_max` double,
  `requests_waiting_avg` double,
  `requests_waiting_p50` double,
  `requests_waiting_p95` double,
  `requests_waiting_max` double,
  `kv_cache_usage_ratio_avg` double,
  `kv_cache_usage_ratio_p50` double,
  `kv_cache_usage_ratio_p95` double,
  `kv_cache_usage_ratio_max` double,
  `pods_avg` double,
  `pods_p50` double,
  `pods_p95` double,
  `pods_max` double,
  `replicas_avg` double,
  `replicas_p50` double,
  `replicas_p95` double,
  `replicas_max` double,
  `cpu_request_millicores_avg` double,
  `memory_request_bytes_avg` double,
  `cpu_p95_of_request_percent` double,
  `memory_p95_of_request_percent` double,
  `gpu_hours_allocated` double,
  `gpu_hours_active` double,
  `gpu_hours_idle_held` double,
  `gpu_hours_loading` double,
  `gpu_hours_unknown` double,
  `gpu_hours_unallocated` double,
  `gpu_hours_total` double,
  `prompt_tokens` bigint,
  `generation_tokens` bigint,
  `requests` bigint,
  `preemptions` bigint,
  `prefix_cache_queries` bigint,
  `prefix_cache_hits` bigint,
  `energy_millijoules` bigint,
  `restarts` bigint,
  `ttft_seconds_avg` double,
  `inter_token_seconds_avg` double,
  `e2e_seconds_avg` double,
  `tokens_per_gpu_hour` double,
  `tokens_per_kilowatt_hour` double,
  `cost` double
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/hourly/v1/pods/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-408DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

DROP TABLE IF EXISTS `k8s_monitor`.`objects_hourly_cluster`;
CREATE EXTERNAL TABLE `k8s_monitor`.`objects_hourly_cluster` (
  `hour` timestamp,
  `samples` int,
  `expected_samples` int,
  `cpu_usage_millicores_avg` double,
  `cpu_usage_millicores_p50` double,
  `cpu_usage_millicores_p95` double,
  `cpu_usage_millicores_max` double,
  `memory_usage_bytes_avg` double,
  `memory_usage_bytes_p50` double,
  `memory_usage_bytes_p95` double,
  `memory_usage_bytes_max` double,
  `gpu_util_percent_avg` double,
  `gpu_util_percent_p50` double,
  `gpu_util_percent_p95` double,
  `gpu_util_percent_max` double,
  `gpu_memory_used_bytes_avg` double,
  `gpu_memory_used_bytes_p50` double,
  `gpu_memory_used_bytes_p95` double,
  `gpu_memory_used_bytes_max` double,
  `gpu_power_watts_avg` double,
  `gpu_power_watts_p50` double,
  `gpu_power_watts_p95` double,
  `gpu_power_watts_max` double,
  `requests_running_avg` double,
  `requests_running_p50` double,
  `requests_running_p95` double,
  `requests_running_max` double,
  `requests_waiting_avg` double,
  `requests_waiting_p50` double,
  `requests_waiting_p95` double,
  `requests_waiting_max` double,
  `kv_cache_usage_ratio_avg` double,
  `kv_cache_usage_ratio_p50` double,
  `kv_cache_usage_ratio_p95` double,
  `kv_cache_usage_ratio_max` double,
  `pods_avg` double,
  `pods_p50` double,
  `pods_p95` double,
  `pods_max` double,
  `replicas_avg` double,
  `replicas_p50` double,
  `replicas_p95` double,
  `replicas_max` double,
  `cpu_request_millicores_avg` double,
  `memory_request_bytes_avg` double,
  `cpu_p95_of_request_percent` double,
  `memory_p95_of_request_percent` double,
  `gpu_hours_allocated` double,
  `gpu_hours_active` double,
  `gpu_hours_idle_held` double,
  `gpu_hours_loading` double,
  `gpu_hours_unknown` double,
  `gpu_hours_unallocated` double,
  `gpu_hours_total` double,
  `prompt_tokens` bigint,
  `generation_tokens` bigint,
  `requests` bigint,
  `preemptions` bigint,
  `prefix_cache_queries` bigint,
  `prefix_cache_hits` bigint,
  `energy_millijoules` bigint,
  `restarts` bigint,
  `ttft_seconds_avg` double,
  `inter_token_seconds_avg` double,
  `e2e_seconds_avg` double,
  `tokens_per_gpu_hour` double,
  `tokens_per_kilowatt_hour` double,
  `cost` double
)
PARTITIONED BY (`cluster` string, `dt` string)
STORED AS PARQUET
LOCATION 's3://acme-lake/team/hourly/v1/cluster/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.cluster.type' = 'enum',
  'projection.cluster.values' = 'prod,test',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = 'NOW-408DAYS,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS'
);

CREATE OR REPLACE VIEW k8s_monitor.nodes AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM k8s_monitor.objects_samples_nodes
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM k8s_monitor.objects_samples_nodes
  UNION ALL
  SELECT *
  FROM k8s_monitor.objects_raw_nodes AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT stored.*,
  CASE WHEN stored.cpu_allocatable_millicores > 0 THEN 100e0 * stored.cpu_usage_millicores / stored.cpu_allocatable_millicores END AS cpu_percent,
  CASE WHEN stored.memory_allocatable_bytes > 0 THEN 100e0 * stored.memory_usage_bytes / stored.memory_allocatable_bytes END AS memory_percent
FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.pods AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM k8s_monitor.objects_samples_pods
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM k8s_monitor.objects_samples_pods
  UNION ALL
  SELECT *
  FROM k8s_monitor.objects_raw_pods AS raw
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
LEFT JOIN k8s_monitor.nodes AS nodes ON nodes.cluster = stored.cluster AND nodes.dt = stored.dt AND nodes.hh = stored.hh
  AND nodes.ts = stored.ts AND nodes.node = stored.node;

CREATE OR REPLACE VIEW k8s_monitor.gpus AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM k8s_monitor.objects_samples_gpus
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM k8s_monitor.objects_samples_gpus
  UNION ALL
  SELECT *
  FROM k8s_monitor.objects_raw_gpus AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT stored.*,
  CASE WHEN stored.memory_total_bytes > 0 THEN 100e0 * stored.memory_used_bytes / stored.memory_total_bytes END AS gpu_memory_percent
FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.engines AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM k8s_monitor.objects_samples_engines
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM k8s_monitor.objects_samples_engines
  UNION ALL
  SELECT *
  FROM k8s_monitor.objects_raw_engines AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.gaps AS
WITH stored AS (
  WITH sampled AS (
    SELECT DISTINCT cluster, dt, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
    FROM k8s_monitor.objects_samples_gaps
  )
  SELECT *, regexp_extract("$path", '/([0-9]{2})[.]parquet$', 1) AS hh
  FROM k8s_monitor.objects_samples_gaps
  UNION ALL
  SELECT *
  FROM k8s_monitor.objects_raw_gaps AS raw
  WHERE NOT EXISTS (SELECT 1 FROM sampled WHERE sampled.cluster = raw.cluster AND sampled.dt = raw.dt AND sampled.hh = raw.hh)
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.hourly_models AS
WITH stored AS (
  SELECT *
  FROM k8s_monitor.objects_hourly_models
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.hourly_workloads AS
WITH stored AS (
  SELECT *
  FROM k8s_monitor.objects_hourly_workloads
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.hourly_namespaces AS
WITH stored AS (
  SELECT *
  FROM k8s_monitor.objects_hourly_namespaces
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.hourly_nodes AS
WITH stored AS (
  SELECT *
  FROM k8s_monitor.objects_hourly_nodes
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.hourly_pods AS
WITH stored AS (
  SELECT *
  FROM k8s_monitor.objects_hourly_pods
)
SELECT * FROM stored;

CREATE OR REPLACE VIEW k8s_monitor.hourly_cluster AS
WITH stored AS (
  SELECT *
  FROM k8s_monitor.objects_hourly_cluster
)
SELECT * FROM stored;
