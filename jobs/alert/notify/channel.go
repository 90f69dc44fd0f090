// Package notify tells people what began and what ended: it holds the channels,
// such as Slack, and what each makes of a Notification. It does not know rules,
// and does not decide what is worth telling.
package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Channel delivers notifications to people. A channel is one file of this
// package and one line of channels.
type Channel interface {
	// Name names the channel in errors, and in the state, where each alert
	// records what the channel was told: it never changes.
	Name() string

	// Notify delivers n. After an error it may or may not have arrived; retry
	// says whether sending the same again can help, and the next run does. No
	// error, and no way to print the channel, shows its secret.
	Notify(ctx context.Context, n Notification) (retry bool, err error)
}

// channels are all channels that there are. Each is used if its secret is set.
var channels = []struct {
	secret string // the environment variable of its URL or token
	open   func(secret string) (Channel, error)
}{
	{"SLACK_WEBHOOK_URL", newSlackWebhook},
}

// ErrRefused is a notification or address that a channel does not take. Sending
// it again does not help.
var ErrRefused = errors.New("refused the message")

// Secrets are the names of the secrets that Channels asks for.
func Secrets() []string {
	var names []string
	for _, c := range channels {
		names = append(names, c.secret)
	}
	return names
}

// Channels opens the channels whose secret is set. secret returns the secret of
// a name, "" if it is not set.
func Channels(secret func(name string) (string, error)) ([]Channel, error) {
	var open []Channel
	for _, c := range channels {
		value, err := secret(c.secret)
		if err != nil {
			return nil, err
		}
		if value == "" {
			continue
		}
		channel, err := c.open(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.secret, err)
		}
		open = append(open, channel)
	}
	return open, nil
}

// Printer is the channel that prints.
type Printer struct{ Out io.Writer }

// Name is "print".
func (Printer) Name() string { return "print" }

// Notify prints the notification.
func (p Printer) Notify(_ context.Context, n Notification) (retry bool, err error) {
	_, err = io.WriteString(p.Out, n.text())
	return true, err
}
