package demo

import (
	"context"
	"sync/atomic"
	"time"
)

// virtualClock is a clock that only moves when it is set or waited on: a run that
// waits 30 s takes no time.
type virtualClock struct {
	now time.Time
	at  atomic.Pointer[time.Time]
}

func (c *virtualClock) set(t time.Time) { c.at.Store(&t) }

// Now is the time that the clock shows. The cluster's server asks it while the
// job moves it, so it is atomic.
func (c *virtualClock) Now() time.Time {
	if t := c.at.Load(); t != nil {
		return *t
	}
	return c.now
}

// Wait moves the clock to until.
func (c *virtualClock) Wait(ctx context.Context, until time.Time) error {
	if until.After(c.Now()) {
		c.set(until)
	}
	return ctx.Err()
}
