-- Which replicas hold GPUs now and have done nothing with them for a quarter of an hour?
WITH recent AS (
  SELECT cluster, ts, namespace, coalesce(replica_group, pod) AS replica, model, gpu_request, gpu_util_percent, gpu_state,
         max(ts) OVER (PARTITION BY cluster) AS newest
  FROM pod_gpu_states
  WHERE dt >= CAST(CAST(current_date - INTERVAL '1' DAY AS date) AS varchar)
    AND ts >= current_timestamp - INTERVAL '1' HOUR
)
SELECT cluster, namespace, replica, max(model) AS model,
       sum(CASE WHEN ts = newest THEN gpu_request ELSE 0 END) AS gpus, max(gpu_util_percent) AS most_util_percent
FROM recent
WHERE ts >= newest - INTERVAL '15' MINUTE AND gpu_state IS NOT NULL
GROUP BY cluster, namespace, replica
-- Idle in every sample, up to the newest one, and for ten minutes at least.
HAVING bool_and(gpu_state = 'idle_held') AND max(ts) = max(newest) AND min(ts) <= max(newest) - INTERVAL '10' MINUTE
ORDER BY gpus DESC, cluster, namespace, replica;
