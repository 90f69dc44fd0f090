// Package s3 runs a real S3 server for tests: versitygw, an S3 gateway to a
// directory, built from the version in go.mod. It holds no tests of what is
// stored; those are beside the jobs that store it.
package s3

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Gateway is a running S3 server.
type Gateway struct {
	Endpoint  string // http://HOST:PORT
	AccessKey string
	SecretKey string
	Dir       string // what it serves: a folder for each bucket
}

// readyWithin is how long the server may take to start on a busy machine.
const readyWithin = 30 * time.Second

// binary builds the server once a process; the build cache keeps it.
var binary = sync.OnceValues(func() (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", "tool", "-n", "versitygw")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build versitygw: %w\n%s", err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
})

// StartGateway starts a server on a free port of the address, which is 127.0.0.1
// unless someone elsewhere is to reach it. It ends with the test. The first call
// on a machine compiles it, which takes minutes.
func StartGateway(tb testing.TB, host string) Gateway {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	// Someone may take the free port before the server does, so try again.
	for range 3 {
		if g, err := start(tb, path, host); err != nil {
			tb.Logf("versitygw: %v", err)
		} else {
			return g
		}
	}
	tb.Fatal("versitygw does not start")
	return Gateway{}
}

func start(tb testing.TB, path, host string) (Gateway, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return Gateway{}, err
	}
	address := listener.Addr().String()
	listener.Close()

	g := Gateway{Endpoint: "http://" + address, AccessKey: "test-access-key", SecretKey: "test-secret-key", Dir: tb.TempDir()}
	var output bytes.Buffer // read only after the process has ended
	cmd := exec.Command(path, "--port", address, "--health", "/health", "--quiet", "posix", g.Dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+g.AccessKey, "ROOT_SECRET_KEY="+g.SecretKey)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return Gateway{}, err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	stop := func() {
		cmd.Process.Kill() // an error says that it has ended already
		<-ended
	}
	ctx, cancel := context.WithTimeout(tb.Context(), readyWithin)
	defer cancel()
	if err := ready(ctx, g.Endpoint+"/health", ended); err != nil {
		stop()
		return Gateway{}, fmt.Errorf("%w\n%s", err, output.Bytes())
	}
	tb.Cleanup(stop)
	return g, nil
}

// ready waits until the server answers, or has ended.
func ready(ctx context.Context, url string, ended <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			return fmt.Errorf("the server ended")
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s within %s: %w", url, readyWithin, err)
		case <-tick.C:
		}
	}
}

// Setenv points the AWS environment of the test's process at the endpoint with
// the gateway's keys, and away from the machine's own AWS files, so that
// open.Bucket finds it. The endpoint is the gateway's, or a proxy's before it.
func (g Gateway) Setenv(t *testing.T, endpoint string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3":         endpoint,
		"AWS_ACCESS_KEY_ID":           g.AccessKey,
		"AWS_SECRET_ACCESS_KEY":       g.SecretKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_REGION":                  "us-east-1",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
	} {
		t.Setenv(name, value)
	}
}

// Client is an S3 client of the gateway, for what the product never does.
func (g Gateway) Client() *awss3.Client {
	return awss3.New(awss3.Options{
		BaseEndpoint: &g.Endpoint,
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(g.AccessKey, g.SecretKey, ""),
	})
}

// CreateBucket makes a bucket; it is read at Endpoint/name/object.
func (g Gateway) CreateBucket(tb testing.TB, name string) {
	tb.Helper()
	if _, err := g.Client().CreateBucket(tb.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		tb.Fatal(err)
	}
}

// Publish lets everyone read the objects whose names start with prefix,
// without credentials: what a bucket policy does for site/ in production.
func (g Gateway) Publish(tb testing.TB, name, prefix string) {
	tb.Helper()
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/%s*"}]}`, name, prefix)
	if _, err := g.Client().PutBucketPolicy(tb.Context(), &awss3.PutBucketPolicyInput{Bucket: &name, Policy: aws.String(policy)}); err != nil {
		tb.Fatal(err)
	}
}
