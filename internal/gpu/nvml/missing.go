//go:build !cgo

package nvml

import (
	"context"
	"errors"
	"time"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Built reports whether this build can read GPUs through NVML.
const Built = false

// errNoNVML is the error of a build without cgo.
var errNoNVML = errors.New("this build has no NVML: it was built with CGO_ENABLED=0; use the image with the suffix -nvml, or --gpus dcgm")

// ReadNode cannot read anything in this build and returns an error that says
// which build can.
func ReadNode(context.Context, string, string, time.Time) ([]usage.GPU, []usage.Gap, error) {
	return nil, nil, errNoNVML
}
