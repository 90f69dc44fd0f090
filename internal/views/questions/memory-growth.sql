-- Which pods have grown most in memory over the last day?
SELECT cluster, namespace, pod, count(*) AS hours,
       round(min_by(memory_usage_bytes_avg, hour) / 1048576) AS first_mib,
       round(max_by(memory_usage_bytes_avg, hour) / 1048576) AS last_mib,
       round((max_by(memory_usage_bytes_avg, hour) - min_by(memory_usage_bytes_avg, hour)) / 1048576) AS grown_mib
FROM hourly_pods
WHERE dt >= CAST(CAST(current_date - INTERVAL '1' DAY AS date) AS varchar)
  AND hour >= current_timestamp - INTERVAL '1' DAY
  AND memory_usage_bytes_avg IS NOT NULL
GROUP BY cluster, namespace, pod, pod_uid
HAVING max_by(memory_usage_bytes_avg, hour) > min_by(memory_usage_bytes_avg, hour)
ORDER BY grown_mib DESC, cluster, namespace, pod
LIMIT 20;
