-- How many GPU-hours did each model hold in the last seven days, and how many of them idled?
SELECT cluster, namespace, model, engine,
       round(sum(gpu_hours_allocated), 1) AS gpu_hours,
       round(sum(gpu_hours_idle_held), 1) AS idle_held,
       round(100 * sum(gpu_hours_idle_held) / sum(gpu_hours_allocated), 1) AS idle_percent,
       round(sum(cost), 2) AS cost
FROM hourly_models
WHERE dt >= CAST(CAST(current_date - INTERVAL '7' DAY AS date) AS varchar)
  AND hour >= current_timestamp - INTERVAL '7' DAY
  AND gpu_hours_allocated > 0
GROUP BY cluster, namespace, model, engine
ORDER BY gpu_hours DESC, cluster, namespace, model;
