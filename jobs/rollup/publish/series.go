package publish

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/report"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// hoursAtOnce is how many hours of a table are read side by side, and held: of
// nodes an hour may have 5,000 rows of a kilobyte.
const hoursAtOnce = 8

// line is the hours of one key: their series, and what they add up to.
type line struct {
	series report.Series
	total  statistics.Total
}

// readLines reads a table's object of each hour and gives the line of each key;
// an hour without an object has no rows.
func readLines[T any, K comparable](ctx context.Context, p *Publisher, table *store.Table[T], hours []time.Time,
	name func(time.Time) string, key func(*T) (K, *usage.Statistics)) (map[K]*line, error) {
	lines := map[K]*line{}
	for from := 0; from < len(hours); from += hoursAtOnce {
		rows := make([][]T, min(hoursAtOnce, len(hours)-from))
		group, ctx := errgroup.WithContext(ctx)
		for i := range rows {
			group.Go(func() (err error) {
				rows[i], err = table.Read(ctx, p.Bucket, name(hours[from+i]))
				if errors.Is(err, bucket.ErrNotExist) {
					return nil
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		for i := range rows {
			for r := range rows[i] {
				k, s := key(&rows[i][r])
				if lines[k] == nil {
					lines[k] = &line{series: newSeries(len(hours))}
				}
				lines[k].add(from+i, s)
			}
		}
	}
	return lines, nil
}

// add adds an hour's figures; hours come in order.
func (l *line) add(hour int, s *usage.Statistics) {
	series := reflect.ValueOf(&l.series).Elem()
	for _, f := range seriesFigures {
		f.floats(series)[hour] = f.get(s)
	}
	l.total.Add(s)
}

// sums is what the hours add up to.
func (l *line) sums() (t report.Totals) {
	s := l.total.Statistics()
	totals := reflect.ValueOf(&t).Elem()
	for _, f := range totalFigures {
		v, ok := f.get(&s).Get()
		switch to := totals.Field(f.field).Addr().Interface().(type) {
		case *usage.Opt[float64]:
			*to = f.get(&s)
		case *usage.Opt[int64]:
			if ok {
				*to = usage.Some(int64(v))
			}
		case *int64:
			*to = int64(v)
		}
	}
	return t
}

// figure is a field of a document, and how it follows from a row of hourly/.
type figure struct {
	field int
	get   func(*usage.Statistics) usage.Opt[float64]
}

// floats is the figure's column in a series.
func (f figure) floats(series reflect.Value) report.Floats {
	return *series.Field(f.field).Addr().Interface().(*report.Floats)
}

var (
	seriesFigures = figuresOf[report.Series]()
	totalFigures  = figuresOf[report.Totals]()
)

// figuresOf are the figures of a document. A field shows the column of hourly/
// that has its name, which JSON writes in camel case.
func figuresOf[T any]() []figure {
	document := reflect.TypeFor[T]()
	figures := make([]figure, document.NumField())
	for i := range figures {
		name := document.Field(i).Tag.Get("json")
		figures[i] = figure{i, ofReportAlone[name]}
		if figures[i].get == nil {
			column, ok := statistics.ColumnOf(columnName(name))
			if !ok {
				panic(fmt.Sprintf("%v: hourly/ has no column %q for the field %q", document, columnName(name), name))
			}
			figures[i].get = column.Get
		}
	}
	return figures
}

// columnName is cpu_usage_millicores_p95 for cpuUsageMillicoresP95.
func columnName(field string) string {
	var b strings.Builder
	for _, r := range field {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// ofReportAlone are the figures that hourly/ has in another form.
var ofReportAlone = map[string]func(*usage.Statistics) usage.Opt[float64]{
	"coverage": func(s *usage.Statistics) usage.Opt[float64] {
		return statistics.Ratio(usage.Some(s.Samples), usage.Some(s.ExpectedSamples), 1)
	},
	"energyKilowattHours": func(s *usage.Statistics) usage.Opt[float64] {
		return statistics.Ratio(s.EnergyMillijoules, usage.Some(statistics.MillijoulesPerKilowattHour), 1)
	},
}

func newSeries(hours int) report.Series {
	var s report.Series
	series := reflect.ValueOf(&s).Elem()
	for _, f := range seriesFigures {
		series.Field(f.field).Set(reflect.ValueOf(make(report.Floats, hours)))
	}
	return s
}

// shorten rounds every series to the digits that a chart can show, which
// halves the document. Counts stay whole.
func shorten(doc *report.StatisticsData) {
	shortenSeries(&doc.ClusterAll)
	for i := range doc.Models {
		shortenSeries(&doc.Models[i].Series)
	}
	for i := range doc.Namespaces {
		shortenSeries(&doc.Namespaces[i].Series)
	}
	for i := range doc.Nodes {
		shortenSeries(&doc.Nodes[i].Series)
	}
}

func shortenSeries(s *report.Series) {
	series := reflect.ValueOf(s).Elem()
	for _, f := range seriesFigures {
		values := f.floats(series)
		for i, o := range values {
			if v, ok := o.Get(); ok && v != math.Trunc(v) {
				v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // it was just written
				values[i] = usage.Some(v)
			}
		}
	}
}
