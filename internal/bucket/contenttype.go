package bucket

import "path"

// contentTypes is our own table, because the operating system's differs from
// image to image, and with it what a browser does with the site.
var contentTypes = map[string]string{
	".css":     "text/css; charset=utf-8",
	".csv":     "text/csv; charset=utf-8",
	".gz":      "application/gzip",
	".html":    "text/html; charset=utf-8",
	".ico":     "image/vnd.microsoft.icon",
	".js":      "text/javascript; charset=utf-8",
	".json":    "application/json",
	".map":     "application/json",
	".md":      "text/markdown; charset=utf-8",
	".mjs":     "text/javascript; charset=utf-8",
	".parquet": "application/vnd.apache.parquet",
	".png":     "image/png",
	".sql":     "application/sql",
	".svg":     "image/svg+xml",
	".txt":     "text/plain; charset=utf-8",
	".wasm":    "application/wasm",
	".woff2":   "font/woff2",
	".yaml":    "application/yaml",
	"":         "text/plain; charset=utf-8", // Prometheus text, licences
}

func contentType(name string) string {
	if t, ok := contentTypes[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}
