package rollup

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// fleet is a random cluster from half an hour before midnight to an hour after:
// missed samples, pods that come, go and move, engines and cards whose counters
// restart, cards in MIG instances, replicas of several pods.
func fleet(r *rand.Rand) (all rows) {
	maybe := func(v float64) usage.Opt[float64] {
		if r.IntN(4) == 0 {
			return usage.Opt[float64]{}
		}
		return usage.Some(v)
	}
	count := func(v int64) usage.Opt[int64] {
		if r.IntN(6) == 0 {
			return usage.Opt[int64]{}
		}
		return usage.Some(v)
	}
	total := int64(0)
	for k := -60; k < 120; k++ {
		if r.IntN(8) == 0 {
			continue
		}
		ts := midnight.Add(time.Duration(k)*interval + time.Duration(r.IntN(5))*time.Second)
		if r.IntN(40) == 0 {
			total = 0
		}
		total += int64(r.IntN(100))
		for n := range 3 {
			if r.IntN(20) == 0 {
				continue
			}
			node := string(rune('a' + n))
			all.nodes = append(all.nodes, usage.Node{TS: ts, Node: node, GPUAllocatable: 8, GPUProduct: usage.Some("H100"), PodsRunning: int32(r.IntN(9)),
				CPUAllocatableMillicores: 8000, CPUUsageMillicores: count(int64(r.IntN(8000))), CPURequestedMillicores: 5000})
			for card := range 2 {
				g := usage.GPU{TS: ts, Node: node, GPUIndex: int32(card), GPUUUID: fmt.Sprint(node, card), UtilPercent: maybe(float64(r.IntN(100))),
					PowerWatts: maybe(300), EnergyMillijoulesTotal: count(total), ShareCount: 1, Namespace: usage.Some("x"), Pod: usage.Some("p0")}
				if card == 1 {
					g.MIGInstance = usage.Some[int32](1)
					all.gpus = append(all.gpus, g)
					g.MIGInstance = usage.Some[int32](2)
				}
				all.gpus = append(all.gpus, g)
			}
		}
		for n := range 8 {
			if r.IntN(6) == 0 {
				continue
			}
			p := usage.Pod{TS: ts, Namespace: string(rune('x' + n%2)), Pod: fmt.Sprint("p", n), PodUID: fmt.Sprint("u", n, k > 20 && n == 3),
				Phase: []string{"Running", "Running", "Pending", "Succeeded"}[r.IntN(4)], Ready: r.IntN(3) > 0, GPURequest: int32(r.IntN(4)),
				CPUUsageMillicores: count(int64(r.IntN(4000))), CPURequestMillicores: usage.Some[int64](1000), Restarts: int32(total % 7),
				GPUUtilPercent: maybe(float64(r.IntN(20))), OwnerKind: usage.Some("Deployment"), Owner: usage.Some(fmt.Sprint("d", n%3))}
			if r.IntN(4) > 0 {
				p.Node = usage.Some(string(rune('a' + n%4))) // 'd' is no node of the list
			}
			if n > 3 {
				p.Engine, p.Model = usage.VLLM, usage.Some(fmt.Sprint("m", n%2))
			}
			if n > 5 {
				p.ReplicaGroup = usage.Some("g")
			}
			all.pods = append(all.pods, p)
			if n > 4 && n < 7 && r.IntN(8) > 0 {
				all.engines = append(all.engines, usage.Engine{TS: ts, Namespace: p.Namespace, Pod: p.Pod, PodUID: p.PodUID, Engine: usage.VLLM,
					RequestsRunning: count(int64(r.IntN(3))), GenerationTokensTotal: count(total), TTFTSecondsSum: maybe(float64(total) / 7), TTFTSecondsCount: count(total / 3)})
			}
		}
	}
	all.sort()
	return all
}

// An hour that is folded in any number of passes, each from the encoded state of
// the one before, is the hour that is folded at once.
func TestPassesAddUp(t *testing.T) {
	prices := Prices{GPUHour: map[string]float64{"H100": 2}, CPUCoreHour: usage.Some(0.1)}
	fold := func(s *hourState, r rows) {
		if err := (&pass{prices: prices, state: s, in: r.streams()}).fold(interval, nil); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		in := fleet(r)
		early, in := in.upTo(midnight)
		begun := newHourState(midnight.Add(-time.Hour))
		fold(begun, early)
		first := begun.encode()

		state := func(encoded encodedHour) *hourState {
			s, err := decodeHour(encoded)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		parts := state(first).next()
		for left := in; len(left.nodes) > 0; {
			var some rows
			some, left = left.upTo(in.nodes[r.IntN(len(in.nodes))].TS)
			fold(parts, some)
			parts = state(parts.encode())
			if r.IntN(4) == 0 {
				fold(parts, left)
				left = rows{}
			}
		}
		whole := state(first).next()
		fold(whole, in)
		if !reflect.DeepEqual(parts.encode(), whole.encode()) {
			t.Fatalf("seed %d: the state of the parts differs from that of the whole", seed)
		}
		closed := seed%2 == 0
		a, b := compute(t, parts, closed, prices, rows{}), compute(t, whole, closed, prices, rows{})
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d: the parts give\n%.2000v\nthe whole\n%.2000v", seed, a, b)
		}
		if len(b.pods) < 8 || len(b.models) == 0 || len(b.nodes) < 3 || len(b.cluster) != 1 {
			t.Fatalf("seed %d: too few rows: %.2000v", seed, b)
		}
	}
}

// counting counts what is read.
type counting struct {
	bucket.Bucket
	mu  sync.Mutex
	got map[string]int
}

func (c *counting) count(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got[name]++
}

func (c *counting) Get(ctx context.Context, name string) (bucket.Object, error) {
	c.count(name)
	return c.Bucket.Get(ctx, name)
}

func (c *counting) GetRange(ctx context.Context, name string, r bucket.Range) (bucket.Part, error) {
	c.count(name)
	return c.Bucket.GetRange(ctx, name, r)
}

// Rolled up minute by minute, hours end in the same objects as at once, and a
// minute reads no raw object but its own.
func TestMinuteByMinute(t *testing.T) {
	live, once := bucket.Mem(), bucket.Mem()
	reads := &counting{Bucket: live}
	from, to := midnight.Add(50*time.Minute), midnight.Add(80*time.Minute)
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		snapshot(t, live, at)
		snapshot(t, once, at)
		reads.got = map[string]int{}
		run(t, job(t, reads), at)
		for name := range reads.got {
			if o, _ := layout.Parse(name); (o.Tier == layout.Raw || o.Tier == layout.Manifest) && !o.Time.Equal(at) && !at.Equal(from) && at.Minute() != 0 && at.Minute() != 10 {
				t.Errorf("the run at %v read %s", at, name)
			}
		}
	}
	run(t, job(t, once), to.Add(-time.Minute))
	got, want := content(t, live), content(t, once)
	compared := 0
	for name := range want {
		if o, _ := layout.Parse(name); o.Tier == layout.Hourly || o.Tier == layout.Samples || strings.HasSuffix(name, ".bin") {
			compared++
			if got[name] != want[name] {
				t.Errorf("%s differs", name)
			}
		}
	}
	if compared < 15 {
		t.Errorf("only %d objects", compared)
	}
}

// A snapshot that began late and ran into the next hour counts for both.
func TestSnapshotAcrossTheHour(t *testing.T) {
	b := bucket.Mem()
	fill(t, b, midnight.Add(55*time.Minute), midnight.Add(59*time.Minute), nil)
	late := midnight.Add(59*time.Minute + 45*time.Second) // takes :59:45 and :00:15
	snapshot(t, b, late)
	fill(t, b, midnight.Add(61*time.Minute), midnight.Add(63*time.Minute), nil)
	at := midnight.Add(62 * time.Minute)
	run(t, job(t, b), at)
	first := content(t, b)
	hour := hourly(t, b, store.ModelHours, midnight.Add(time.Hour))[0]
	if hour.Samples != 5 { // :00:15, :01:00, :01:30, :02:00, :02:30
		t.Errorf("%d samples", hour.Samples)
	}
	// :00:00 to :00:15 stands what :59:45 saw, :00:15 to :01:00 what :00:15 saw.
	near(t, "allocated", hour.GPUHoursAllocated, 4*3.0/60)
	if _, err := job(t, b).Run(t.Context(), at, Range{From: midnight, To: midnight.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	diff(t, "rebuilt", first, content(t, b))
}

// The shards of a range are the range, without an hour twice, and shards that
// run each for itself leave what one run leaves.
func TestShards(t *testing.T) {
	for hours := range 30 {
		for count := 1; count < 12; count++ {
			span := Range{midnight.Add(10 * time.Minute), midnight.Add(time.Duration(hours)*time.Hour + 30*time.Minute)}
			next := midnight
			for i := range count {
				part := span.Shard(i, count)
				if !part.From.Equal(next) || part.To.Before(part.From) {
					t.Fatalf("%d hours: shard %d of %d is %v to %v, after %v", hours, i, count, part.From, part.To, next)
				}
				next = part.To
			}
			if want := midnight.Add(time.Duration(hours+1) * time.Hour); !next.Equal(want) {
				t.Fatalf("%d shards of %d hours end at %v, want %v", count, hours, next, want)
			}
		}
	}
	b := bucket.Mem()
	fill(t, b, midnight, midnight.Add(3*time.Hour), func(at time.Time) bool { return at.Minute()%7 != 0 })
	at := midnight.Add(4 * time.Hour)
	run(t, job(t, b), at)
	want := content(t, b)
	for name := range want {
		if o, _ := layout.Parse(name); o.Tier == layout.Hourly || o.Tier == layout.Samples {
			if err := b.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, i := range []int{1, 0} {
		if _, err := job(t, b).Run(t.Context(), at, Range{midnight, midnight.Add(3 * time.Hour)}.Shard(i, 2)); err != nil {
			t.Fatal(err)
		}
	}
	diff(t, "in shards", want, content(t, b))
}

// Documents that take turns are each written once in as many minutes as there
// are turns; few documents are written each minute.
func TestTurns(t *testing.T) {
	for _, c := range []struct{ count, turns int }{{0, 1}, {1000, 1}, {1001, 2}, {5700, 6}} {
		for doc := range 200 {
			written := 0
			for minute := range c.turns {
				if turnsOf(c.count, 1000, midnight.Add(time.Duration(minute)*time.Minute)).has(fmt.Sprint("ns/pod-", doc)) {
					written++
				}
			}
			if written != 1 {
				t.Fatalf("document %d of %d pods is written %d times in %d minutes", doc, c.count, written, c.turns)
			}
		}
	}
}

// Settings that change reach the first hours of a cluster too, and what an hour
// says does not depend on whether the hours before it were at hand: a label of
// two hours ago judges the last instant of the hour before in every way alike.
func TestHoursBefore(t *testing.T) {
	b := bucket.Mem()
	label := usage.Some("H100")
	commit := func(at time.Time, labelled bool) {
		r := world(at)
		r.nodes[0].GPUProduct = usage.Opt[string]{}
		if labelled {
			r.nodes[0].GPUProduct = label
		}
		putAll(t, b, encodeRows(t, at, []time.Time{at}, r))
	}
	commit(midnight.Add(30*time.Minute), true)
	commit(midnight.Add(2*time.Hour-30*time.Second), false)
	commit(midnight.Add(2*time.Hour+20*time.Second), false)
	priced := func() *Job {
		j := job(t, b)
		j.Prices = Prices{GPUHour: map[string]float64{"H100": 2}}
		return j
	}
	at := midnight.Add(4 * time.Hour)
	run(t, job(t, b), at)
	run(t, priced(), at)
	first := content(t, b)
	if c := hourly(t, b, store.ModelHours, midnight)[0].Cost; !c.Present() {
		t.Error("prices that came later are not in the first hour")
	}
	if _, err := priced().Run(t.Context(), at, Range{From: midnight.Add(2 * time.Hour), To: midnight.Add(3 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	diff(t, "the last hour alone", first, content(t, b))
}

// A state that a program with other statistics wrote is not read: its hour is
// computed again from its snapshots.
func TestStateOfOtherStatistics(t *testing.T) {
	b, untouched := bucket.Mem(), bucket.Mem()
	at := midnight.Add(30 * time.Minute)
	for _, b := range []bucket.Bucket{b, untouched} {
		fill(t, b, midnight, at, nil)
		run(t, job(t, b), at.Add(-time.Minute))
	}
	name := job(t, b).hourName(midnight)
	object, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	other, err := readEncoded(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	other.cluster.Reset() // what it says is wrong
	encoded := other.encode()
	encoded.head = bytes.Replace(encoded.head, []byte(statistics.StateVersion), []byte("0123456789abcdef"), 1)
	if _, err := b.PutStream(t.Context(), name, encoded.write); err != nil {
		t.Fatal(err)
	}
	for _, b := range []bucket.Bucket{b, untouched} {
		snapshot(t, b, at)
		run(t, job(t, b), at)
	}
	diff(t, "a state of other statistics", content(t, untouched), content(t, b))
}
