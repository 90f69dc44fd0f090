-- Which replicas hold GPUs now and have done nothing with them for a quarter of an hour?
WITH recent AS (
  SELECT pods.*, engines.requests_running,
         engines.prompt_tokens_total + engines.generation_tokens_total AS tokens_total,
         max(pods.ts) OVER (PARTITION BY pods.cluster) AS newest
  FROM pods
  LEFT JOIN engines ON engines.cluster = pods.cluster AND engines.dt = pods.dt AND engines.hh = pods.hh
    AND engines.ts = pods.ts AND engines.namespace = pods.namespace AND engines.pod = pods.pod
  WHERE pods.dt >= CAST(CAST(current_date - INTERVAL '1' DAY AS date) AS varchar)
    AND pods.ts >= current_timestamp - INTERVAL '1' HOUR
), held AS (
  SELECT cluster, namespace, coalesce(replica_group, pod) AS replica, max(model) AS model, max(gpu_request) AS gpus,
         max(requests_running) AS running, max(tokens_total) - min(tokens_total) AS tokens,
         max(gpu_util_percent) AS util_percent
  FROM recent
  WHERE ts >= newest - INTERVAL '15' MINUTE
    AND gpu_request > 0 AND node IS NOT NULL AND phase NOT IN ('Succeeded', 'Failed')
  GROUP BY cluster, namespace, pod, coalesce(replica_group, pod)
  HAVING bool_and(ready) AND max(ts) = max(newest) AND min(ts) <= max(newest) - INTERVAL '10' MINUTE
)
SELECT cluster, namespace, replica, max(model) AS model, sum(gpus) AS gpus, max(util_percent) AS most_util_percent
FROM held
GROUP BY cluster, namespace, replica
-- A replica's engine says whether it works. Where none does, utilisation above 5 % is work.
HAVING CASE WHEN count(running) + count(tokens) > 0 THEN coalesce(max(running), 0) = 0 AND coalesce(max(tokens), 0) = 0
            ELSE max(util_percent) <= 5 END
ORDER BY gpus DESC, cluster, namespace, replica;
