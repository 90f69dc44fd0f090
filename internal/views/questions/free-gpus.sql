-- Which nodes have GPUs to give now?
SELECT cluster, node, gpu_product, gpu_allocatable - gpu_requested AS free_gpus, gpu_allocatable AS gpus,
       round((cpu_allocatable_millicores - cpu_requested_millicores) / 1e3, 1) AS free_cores,
       round((memory_allocatable_bytes - memory_requested_bytes) / 1073741824e0, 1) AS free_gib
FROM (
  SELECT nodes.*, max(ts) OVER (PARTITION BY cluster) AS newest
  FROM nodes
  WHERE dt >= CAST(CAST(current_date - INTERVAL '1' DAY AS date) AS varchar)
    AND ts >= current_timestamp - INTERVAL '1' HOUR
) AS recent
WHERE ts = newest AND ready AND NOT unschedulable AND gpu_allocatable > gpu_requested
ORDER BY free_gpus DESC, cluster, node;
