package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// Objects are merged into what sorting all of their rows gives, however the rows
// are spread over objects, and with or without prefetching.
func TestMerge(t *testing.T) {
	midnight := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		b := bucket.Mem()
		var all []usage.Gap
		var inputs []MergeInput[usage.Gap]
		for i := range r.IntN(9) {
			var rows []usage.Gap
			for range 1 + r.IntN(6)*r.IntN(200) {
				rows = append(rows, usage.Gap{Source: string(rune('a' + r.IntN(3))), Target: string(rune('a' + r.IntN(2))),
					TS: midnight.Add(time.Duration(r.IntN(4)) * time.Second), Reason: string(rune('a' + r.IntN(26)))})
			}
			Gaps.Sort(rows)
			all = append(all, rows...)
			name := fmt.Sprint("part-", i, ".parquet")
			if _, err := Gaps.Write(t.Context(), b, name, rows, Metadata{}); err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, MergeInput[usage.Gap]{Name: name})
		}
		Gaps.Sort(all)
		inputs = append(inputs, MergeInput[usage.Gap]{Name: "missing.parquet", MayBeMissing: true})
		m, err := Gaps.Merge(t.Context(), b, inputs)
		if err != nil {
			t.Fatal(err)
		}
		stop := func() {}
		if round%2 == 0 {
			stop = m.Prefetch()
		}
		var got []usage.Gap
		err = m.Each(func(g *usage.Gap) { got = append(got, *g) })
		stop()
		if err != nil || !slices.Equal(got, all) {
			t.Fatalf("merged %.300v... (%v), want %.300v...", got, err, all)
		}
	}
	if _, err := Gaps.Merge(t.Context(), bucket.Mem(), []MergeInput[usage.Gap]{{Name: "missing.parquet"}}); err == nil {
		t.Error("a missing object is no error")
	}
}

// Of several rows with the same key and time the first object's counts, and Edit
// changes and drops rows as they are read.
func TestMergeDuplicatesAndEdit(t *testing.T) {
	midnight := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	b := bucket.Mem()
	var inputs []MergeInput[usage.Pod]
	for i := range 3 {
		var rows []usage.Pod
		for n := range 400 {
			rows = append(rows, usage.Pod{TS: midnight.Add(time.Duration(i/2) * time.Second), CreatedAt: midnight,
				Namespace: "ns", Pod: fmt.Sprintf("p%03d", n), Image: fmt.Sprint(i)})
		}
		name := fmt.Sprint(i, ".parquet")
		if _, err := Pods.Write(t.Context(), b, name, rows, Metadata{}); err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, MergeInput[usage.Pod]{Name: name, Edit: func(rows []usage.Pod) []usage.Pod {
			rows = slices.DeleteFunc(rows, func(p usage.Pod) bool { return p.Pod < "p300" })
			for i := range rows {
				rows[i].Image += "!"
			}
			return rows
		}})
	}
	m, err := Pods.Merge(t.Context(), b, inputs)
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for rows := m.Next(); rows != nil; rows = m.Next() {
		if len(rows) != 2 || rows[0].Image != "0!" || rows[1].Image != "2!" || rows[0].Pod != rows[1].Pod {
			t.Fatalf("rows of %s: %d, images %q and %q", rows[0].Pod, len(rows), rows[0].Image, rows[len(rows)-1].Image)
		}
		keys++
	}
	if m.Err() != nil || keys != 100 {
		t.Errorf("%d keys (%v), want 100", keys, m.Err())
	}
}
