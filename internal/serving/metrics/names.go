// Package metrics reads the metrics of model servers into rows. How an engine
// names its metrics is declared as Names, by the package serving.
package metrics

import "strings"

// Column is a column of usage.Engine that comes from the engine's metrics.
type Column uint8

const (
	RequestsRunning Column = iota
	RequestsWaiting
	KVCacheUsageRatio
	PromptTokens
	GenerationTokens
	Requests
	Preemptions
	PrefixCacheQueries
	PrefixCacheHits
	TTFTSum
	TTFTCount
	InterTokenSum
	InterTokenCount
	E2ESum
	E2ECount
	columns
)

// Source says which metrics hold a column. Names are without the prefix, and
// those of a histogram without _sum and _count.
type Source struct {
	column       Column
	alternatives [][]string // the first that a server has counts; its names add up
	histogram    bool       // its count is the column after
}

// Value is a source of which the first name that a server has counts.
func Value(c Column, alternatives ...string) Source {
	s := Source{column: c}
	for _, name := range alternatives {
		s.alternatives = append(s.alternatives, []string{name})
	}
	return s
}

// Sum is a source whose names add up.
func Sum(c Column, names ...string) Source {
	return Source{column: c, alternatives: [][]string{names}}
}

// Histogram is Value for the sum and the count of a histogram. The column is
// that of the sum; the count goes to the one after.
func Histogram(sum Column, alternatives ...string) Source {
	s := Value(sum, alternatives...)
	s.histogram = true
	return s
}

// Names is how one engine names its metrics, in current and older versions.
type Names struct {
	Prefixes       []string // as the engine writes it, then as forks and Ray do
	Sources        []Source
	LooksUpPrompts bool     // prefix cache queries are the prompt tokens, where there are hits
	PartLabel      string   // a sample with this label is a part of one without it
	CopyLabels     []string // ranks that report copies of the same figure
}

// Reader reads the metrics of one engine.
type Reader struct {
	names Names
	slots map[string]slot // by full name
}

// slot is where a metric of a certain name goes. A lower rank is better.
type slot struct {
	column Column
	rank   uint8
}

// NewReader returns a reader of metrics with these names.
func NewReader(names Names) *Reader {
	r := &Reader{names, map[string]slot{}}
	for _, source := range names.Sources {
		rank := uint8(0)
		for _, prefix := range names.Prefixes {
			for _, set := range source.alternatives {
				for _, name := range set {
					r.add(source, prefix+name, rank)
					if counter, ok := strings.CutSuffix(name, "_total"); ok {
						r.add(source, prefix+counter, rank+1) // Ray writes both
					}
				}
				rank += 2
			}
		}
	}
	return r
}

func (r *Reader) add(s Source, name string, rank uint8) {
	if s.histogram {
		r.slots[name+"_sum"] = slot{s.column, rank}
		r.slots[name+"_count"] = slot{s.column + 1, rank}
		return
	}
	r.slots[name] = slot{s.column, rank}
}
