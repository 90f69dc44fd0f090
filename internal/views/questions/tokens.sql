-- How many tokens does each model make of a GPU-hour, hour by hour over the last day?
SELECT cluster, namespace, model, hour,
       prompt_tokens + generation_tokens AS tokens,
       round(gpu_hours_allocated, 2) AS gpu_hours,
       round(tokens_per_gpu_hour) AS tokens_per_gpu_hour
FROM hourly_models
WHERE dt >= CAST(CAST(current_date - INTERVAL '1' DAY AS date) AS varchar)
  AND hour >= current_timestamp - INTERVAL '1' DAY
  AND gpu_hours_allocated > 0
ORDER BY cluster, namespace, model, hour;
