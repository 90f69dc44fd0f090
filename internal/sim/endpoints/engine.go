package endpoints

import (
	"math"
	"strconv"

	"github.com/company/k8s-resource-monitor/internal/sim/cluster"
)

// engineTexts write the /metrics of each engine; each has its own file.
var engineTexts = map[string]func(w *writer, s *cluster.Slot, f cluster.Figures, st cluster.State){
	"vllm":   vllmText,
	"sglang": sglangText,
}

// engineText writes the engine's /metrics at Unix time t.
func engineText(s *cluster.Slot, b []byte, st cluster.State, t float64) []byte {
	w := &writer{b: b}
	engineTexts[s.Workload.Engine.Kind](w, s, s.Figures(st, t), st)
	return w.b
}

// writer appends families of one engine; every sample has the same labels.
type writer struct {
	b      []byte
	labels string // without braces
}

func (w *writer) family(name, kind, help string) {
	w.b = append(append(append(w.b, "# HELP "...), name...), ' ')
	w.b = append(append(append(w.b, help...), "\n# TYPE "...), name...)
	w.b = append(append(append(w.b, ' '), kind...), '\n')
}

func (w *writer) sample(name, suffix, label, labelValue string, value float64) {
	w.b = append(append(append(append(w.b, name...), suffix...), '{'), w.labels...)
	if label != "" {
		w.b = append(append(append(w.b, ','), label...), `="`...)
		w.b = append(append(w.b, labelValue...), '"')
	}
	w.b = append(w.b, "} "...)
	if whole := int64(value); float64(whole) == value {
		w.b = append(strconv.AppendInt(w.b, whole, 10), ".0\n"...)
		return
	}
	w.b = append(strconv.AppendFloat(w.b, value, 'g', -1, 64), '\n')
}

func (w *writer) one(name, kind, help string, value float64) {
	w.family(name, kind, help)
	w.sample(name, "", "", "", value)
}

func (w *writer) histogram(name, help string, s *cluster.Spread, calm, pressed float64) {
	w.family(name, "histogram", help)
	for i, bound := range s.Bounds {
		w.sample(name, "_bucket", "le", bound, math.Floor(calm*s.Calm[i])+math.Floor(pressed*s.Pressed[i]))
	}
	w.sample(name, "_bucket", "le", "+Inf", calm+pressed)
	w.sample(name, "_count", "", "", calm+pressed)
	w.sample(name, "_sum", "", "", calm*s.Means[0]+pressed*s.Means[1])
}
