package bucket

import "path"

// contentTypes are the content types by extension. They do not come from the operating system, whose table differs
// from image to image, so that browsers treat the site the same everywhere.
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
	"":         "text/plain; charset=utf-8", // licences
}

// ContentType is the Content-Type with which an object of this name is stored and served.
func ContentType(name string) string {
	if path.Base(name) == "metrics" {
		return "text/plain; version=0.0.4; charset=utf-8" // the text format of Prometheus
	}
	if t, ok := contentTypes[path.Ext(name)]; ok {
		return t
	}
	return "application/octet-stream"
}
