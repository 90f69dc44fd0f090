package report

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Manifest commits one run of the snapshot job: raw objects that no manifest
// lists are the garbage of a run that did not end. It is written after the
// objects that it lists and deleted before any of them is replaced. Unlike the
// other documents it lies beside the raw data and is not for the site.
type Manifest struct {
	Version         int              `json:"version"`
	Cluster         string           `json:"cluster"`
	At              time.Time        `json:"at"`        // the run's scheduled instant
	SampledAt       []time.Time      `json:"sampledAt"` // the instants that were taken, as they stand in ts; at least one
	IntervalSeconds int              `json:"intervalSeconds"`
	DurationSeconds float64          `json:"durationSeconds"` // of the whole run, waits included
	ProgramVersion  string           `json:"programVersion"`
	Objects         []ManifestObject `json:"objects"` // by name; a table without rows has none
	Gaps            []usage.Gap      `json:"gaps"`    // of all samples, each once, without ts
}

// ManifestObject is one raw object of the run.
type ManifestObject struct {
	Name   string `json:"name"` // in the bucket
	Table  string `json:"table"`
	Rows   int    `json:"rows"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"` // hex, of the object's bytes
}

// ParseManifest reads the manifest that has the name in the bucket. The error
// says what to do about one that cannot be read.
func ParseManifest(name string, body []byte) (m Manifest, err error) {
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("%s: not a manifest (%w): delete it, and what it commits counts as a gap", name, err)
	}
	if m.Version != Version {
		return m, fmt.Errorf("%s: manifest version %d, this program reads %d: use the k8s-monitor that wrote it, or a newer one",
			name, m.Version, Version)
	}
	return m, nil
}
