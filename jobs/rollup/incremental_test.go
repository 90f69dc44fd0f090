package rollup

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/bucket/buckettest"
	"github.com/company/k8s-resource-monitor/internal/committed/committedtest"
	"github.com/company/k8s-resource-monitor/internal/layout"
	"github.com/company/k8s-resource-monitor/internal/statistics"
	"github.com/company/k8s-resource-monitor/internal/store"
	"github.com/company/k8s-resource-monitor/internal/usage"
	"github.com/company/k8s-resource-monitor/jobs/rollup/hour"
)

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
			if o, _ := layout.Parse(name); (o.Tier == layout.Raw || o.Tier == layout.Manifest) && !o.Time.Equal(at) && !at.Equal(from) &&
				at.Minute() != 0 &&
				at.Minute() != 10 {
				t.Errorf("the run at %v read %s", at, name)
			}
		}
	}
	run(t, job(t, once), to.Add(-time.Minute))
	got, want := buckettest.Contents(t, live), buckettest.Contents(t, once)
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
	first := buckettest.Contents(t, b)
	hour := hourly(t, b, store.ModelHours, midnight.Add(time.Hour))[0]
	if hour.Samples != 5 { // :00:15, :01:00, :01:30, :02:00, :02:30
		t.Errorf("%d samples", hour.Samples)
	}
	// :00:00 to :00:15 stands what :59:45 saw, :00:15 to :01:00 what :00:15 saw.
	near(t, "allocated", hour.GPUHoursAllocated, 4*3.0/60)
	if _, err := job(t, b).Run(t.Context(), at, Range{From: midnight, To: midnight.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	buckettest.Diff(t, "rebuilt", first, buckettest.Contents(t, b))
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
	want := buckettest.Contents(t, b)
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
	buckettest.Diff(t, "in shards", want, buckettest.Contents(t, b))
}

// Settings that change reach the first hours of a cluster too, and what an hour
// says does not depend on whether the hours before it were at hand: a label of
// two hours ago judges the last instant of the hour before in every way alike.
func TestHoursBefore(t *testing.T) {
	b := bucket.Mem()
	label := usage.Some("H100")
	commit := func(at time.Time, labelled bool) {
		r := world(at)
		r.Nodes[0].GPUProduct = usage.Opt[string]{}
		if labelled {
			r.Nodes[0].GPUProduct = label
		}
		putAll(t, b, committedtest.Encode(t, "c", at, interval, r))
	}
	commit(midnight.Add(30*time.Minute), true)
	commit(midnight.Add(2*time.Hour-30*time.Second), false)
	commit(midnight.Add(2*time.Hour+20*time.Second), false)
	priced := func() *Job {
		j := job(t, b)
		j.Prices = hour.Prices{GPUHour: map[string]float64{"H100": 2}}
		return j
	}
	at := midnight.Add(4 * time.Hour)
	run(t, job(t, b), at)
	run(t, priced(), at)
	first := buckettest.Contents(t, b)
	if c := hourly(t, b, store.ModelHours, midnight)[0].Cost; !c.Present() {
		t.Error("prices that came later are not in the first hour")
	}
	if _, err := priced().Run(t.Context(), at, Range{From: midnight.Add(2 * time.Hour), To: midnight.Add(3 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	buckettest.Diff(t, "the last hour alone", first, buckettest.Contents(t, b))
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
	name := job(t, b).checkpointName(midnight)
	object, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	state, err := hour.Decode(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	wrong := hour.NewState(midnight) // says that it holds the same snapshots, and is empty
	wrong.Merged, wrong.Base, wrong.Settings, wrong.Newest = state.Merged, state.Base, state.Settings, state.Newest
	checkpoint := wrong.Checkpoint()
	var body bytes.Buffer
	if err := checkpoint.Write(&body); err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(body.Bytes()[:body.Len()-4], []byte(statistics.StateVersion), []byte("0123456789abcdef"), 1)
	other = binary.BigEndian.AppendUint32(other, crc32.ChecksumIEEE(other))
	if _, err := b.Put(t.Context(), name, other, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []bucket.Bucket{b, untouched} {
		snapshot(t, b, at)
		run(t, job(t, b), at)
	}
	buckettest.Diff(t, "a state of other statistics", buckettest.Contents(t, untouched), buckettest.Contents(t, b))
}
