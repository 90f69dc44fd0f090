// Package kube reads a cluster through its API server: pods and nodes with
// their requests, limits and states, what metrics.k8s.io says they use, and
// the workloads that own the pods. It is the only importer of k8s.io client
// code, so that the rest of the product speaks of usage rows alone. It does
// not identify model servers (serving) or read GPUs (gpu), and it writes
// nothing to the cluster.
//
// # Lists
//
// Every list is asked for with resourceVersion=0 and limit=500. A server with
// a watch cache answers at once and whole from memory, sparing etcd; that the
// answer may be some milliseconds old does not matter to a sample. A server
// without one keeps to the limit and answers in pages, which are followed to
// the end. Either way the answer is cut into items as it arrives (package wire),
// so memory does not grow with the list.
//
// Three things keep the cost of 150,000 pods low:
//
//   - fields that nobody reads are cut off before decoding (trim.go);
//   - of the pods of one workload, which differ in name, UID, node and times, one
//     is decoded (siblings.go);
//   - what an item was reduced to (package rows) is remembered until the next
//     sample by a hash of the bytes that are read (wire.Memo), because hardly any
//     pod changes in between.
//
// BenchmarkPod says what they save: a pod that is decoded takes 10 to 20 times as
// long as one with a sibling, and more than 20 times as long as one that is known.
package kube

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/company/k8s-resource-monitor/internal/kube/wire"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// requestTimeout bounds every call, body included. An API server gives up on
// a list after 60 s by default, so its own, better explained error comes first.
const requestTimeout = 75 * time.Second

// Client reads one cluster. It may be used by several goroutines; samples are
// taken one after the other.
type Client struct {
	rest *rest.RESTClient
	host string // of the API server, for errors

	mu     sync.Mutex // held by Sample
	pods   wire.Memo[Pod]
	nodes  wire.Memo[usage.Node]
	owners map[types.UID]owner
}

// Open finds the cluster's address and credentials: in the file kubeconfig;
// else, where that is "", in the files that KUBECONFIG names, in the
// ServiceAccount of the pod that it runs in, in ~/.kube/config, in this order.
// The version is the program's, for the user agent. Nothing is sent yet.
func Open(kubeconfig, version string) (*Client, error) {
	config, err := load(kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"}) // a server's errors are of kind Status
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.UserAgent = "k8s-monitor/" + version
	config.Timeout = requestTimeout
	config.QPS = -1 // no limit: a run makes a dozen calls
	config.WarningHandler = rest.NoWarnings{}
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("the cluster's configuration cannot be used: %w", err)
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("the API server's address %q is no URL: %w", config.Host, err)
	}
	return &Client{rest: client, host: base.Host, pods: wire.NewMemo[Pod](), nodes: wire.NewMemo[usage.Node]()}, nil
}

// Host is the API server's host and port.
func (c *Client) Host() string { return c.host }

func load(kubeconfig string) (*rest.Config, error) {
	if kubeconfig != "" {
		return loadFiles("kubeconfig "+kubeconfig, &clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig})
	}
	if env := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); env != "" {
		return loadFiles("KUBECONFIG="+env, &clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(env)})
	}
	config, err := rest.InClusterConfig()
	if err == nil {
		return config, nil
	}
	if !errors.Is(err, rest.ErrNotInCluster) {
		return nil, fmt.Errorf("the pod's ServiceAccount cannot be read: %w; "+
			"set automountServiceAccountToken: true in the pod's spec", err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "~" // no such file, which the error below says
	}
	file := filepath.Join(home, ".kube", "config")
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("no cluster configured: KUBECONFIG is not set, this is no pod with a ServiceAccount, "+
			"and %w; name a file with --kubeconfig or KUBECONFIG", err)
	}
	return loadFiles("kubeconfig "+file, &clientcmd.ClientConfigLoadingRules{ExplicitPath: file})
}

func loadFiles(what string, rules *clientcmd.ClientConfigLoadingRules) (*rest.Config, error) {
	raw, err := rules.Load()
	if err == nil {
		var config *rest.Config
		if config, err = clientcmd.NewDefaultClientConfig(*raw, &clientcmd.ConfigOverrides{}).ClientConfig(); err == nil {
			return config, nil
		}
	}
	return nil, fmt.Errorf("%s: %w; check it with: kubectl config view", what, err)
}
