// Package store keeps typed rows in a bucket as Parquet: one Table a row type
// of usage, encoded and decoded column by column. It is the only place that
// knows Parquet. It does not know object names (layout) or what the rows mean
// (usage).
//
// # The files
//
// Columns stand in the order of the row type's fields, rows in the table's
// order, in row groups of 8,192, or 131,072 where an object is created as a
// stream. File metadata carries schema_version, cluster and table. Equal rows
// give equal bytes, however they were spread over the calls of a Writer.
//
// A column chunk whose values recur has a dictionary (RLE_DICTIONARY). Of the
// others, strings are DELTA_BYTE_ARRAY, integers and timestamps
// DELTA_BINARY_PACKED or PLAIN, doubles and booleans PLAIN; chunk says which
// when. Levels are RLE. Data pages are of version 2 and cut at 4,096 values
// that differ from their neighbours, or 96 KiB of strings. The codec is zstd;
// a page that it would not make smaller says so. A chunk states its absent values and, unless there is a NaN
// or a string of more than 64 bytes among them, its least and greatest value.
// Every page's header has the CRC-32 of its bytes. The sort order is in the footer, and a page index before it if any chunk has
// several pages.
//
// # Reading
//
// A file's schema is compared with the table's before a value is read. A
// missing optional column reads as absent and an unknown column is passed
// over, because v1 only ever grows; any other difference is a *SchemaError.
// A file that another program wrote is refused. Every length in a file is held
// against the bytes that are there, and every page against its checksum if it
// has one: what does not hold together is ErrCorrupt.
package store

import (
	"errors"
	"fmt"
	"sync"

	"github.com/parquet-go/parquet-go/format"

	"github.com/company/k8s-resource-monitor/internal/usage"
)

// SchemaVersion is the version that files carry and that this package reads.
const SchemaVersion = "1"

// The raw tables: one row a thing and sample.
var (
	Pods    = newTable[usage.Pod](usage.Pods, "namespace", "pod", "ts")
	Nodes   = newTable[usage.Node](usage.Nodes, "node", "ts")
	GPUs    = newTable[usage.GPU](usage.GPUs, "node", "gpu_index", "mig_instance", "ts")
	Engines = newTable[usage.Engine](usage.Engines, "namespace", "pod", "ts")
	Gaps    = newTable[usage.Gap](usage.Gaps, "source", "target", "ts")
)

// RawTables are the names of the raw tables, in the order of the documentation.
var RawTables = [...]string{usage.Pods, usage.Nodes, usage.GPUs, usage.Engines, usage.Gaps}

// The hourly tables: one row a key and hour.
var (
	ModelHours     = newTable[usage.ModelHour](usage.Models, "namespace", "engine", "model", "hour")
	WorkloadHours  = newTable[usage.WorkloadHour](usage.Workloads, "namespace", "owner_kind", "owner", "hour")
	NamespaceHours = newTable[usage.NamespaceHour](usage.Namespaces, "namespace", "hour")
	PodHours       = newTable[usage.PodHour](usage.Pods, "namespace", "pod", "hour")
	NodeHours      = newTable[usage.NodeHour](usage.Nodes, "node", "hour")
	ClusterHours   = newTable[usage.ClusterHour](usage.Cluster, "hour")
)

// HourlyTables are the names of the hourly tables, in the order of the documentation.
var HourlyTables = [...]string{usage.Models, usage.Workloads, usage.Namespaces, usage.Nodes, usage.Pods, usage.Cluster}

// Table is the Parquet form of the rows T.
type Table[T any] struct {
	name     string
	columns  []column
	schema   []format.SchemaElement // the columns as a footer states them
	sorted   []string               // the sort columns by name
	order    []format.SortingColumn // the same as a footer states them
	keys     []column               // the same, but for the last
	time     *column                // the last
	encoders sync.Pool              // of *encoder, those that are free
	decoders sync.Pool              // of *decoder
}

// Metadata is what a file says of itself beside its rows.
type Metadata struct {
	Cluster string
}

// ErrCorrupt is the error of bytes that are not a whole Parquet file.
var ErrCorrupt = errors.New("damaged or not Parquet")

// SchemaError is a file whose columns are not the table's.
type SchemaError struct {
	Table, Column, Found, Want string
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("table %s, column %s: the file has %s, this program reads %s: use the k8s-monitor that wrote it, or a newer one",
		e.Table, e.Column, e.Found, e.Want)
}

// Name is the table's name in object names and SQL.
func (t *Table[T]) Name() string { return t.name }

// ColumnInfo is one column as SQL sees it.
type ColumnInfo struct {
	Name     string
	Type     string // string, bigint, int, double, boolean, timestamp
	Nullable bool
}

// Schema lists the columns in order.
func (t *Table[T]) Schema() []ColumnInfo {
	infos := make([]ColumnInfo, len(t.columns))
	for i, c := range t.columns {
		infos[i] = ColumnInfo{c.name, c.kind.String(), c.optional}
	}
	return infos
}
