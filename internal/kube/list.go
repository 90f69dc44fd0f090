package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"github.com/company/k8s-resource-monitor/internal/kube/rows"
	"github.com/company/k8s-resource-monitor/internal/kube/wire"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// pageSize is the number of items that a server without a watch cache is
// asked for at once.
const pageSize = 500

// maxRestarts is how often a list may begin anew because the server forgot
// the instant at which the first page was taken.
const maxRestarts = 2

// maxRetries is how often a server that answers with Retry-After is asked again.
const maxRetries = 3

// Accept headers: whole objects, and their metadata alone. An old server that
// knows no metadata answers with whole objects, whose metadata reads the same.
const (
	acceptObjects  = "application/vnd.kubernetes.protobuf, application/json"
	acceptMetadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, " +
		"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"
)

// collection is one resource of the API.
type collection struct {
	group    string // "" for the core group
	version  string
	resource string
	accept   string
	empty    func() wire.Object // makes an object of the items' type
	trimmer  *wire.Trimmer      // of what is read; nil: of all
}

var (
	corePods     = collection{"", "v1", "pods", acceptObjects, empty[corev1.Pod], podTrimmer}
	coreNodes    = collection{"", "v1", "nodes", acceptObjects, empty[corev1.Node], nodeTrimmer}
	metricsPods  = collection{"metrics.k8s.io", "v1beta1", "pods", acceptObjects, empty[metricsv1beta1.PodMetrics], nil}
	metricsNodes = collection{"metrics.k8s.io", "v1beta1", "nodes", acceptObjects, empty[metricsv1beta1.NodeMetrics], nil}
	replicaSets  = collection{"apps", "v1", "replicasets", acceptMetadata, empty[metav1.PartialObjectMetadata], ownedTrimmer}
	batchJobs    = collection{"batch", "v1", "jobs", acceptMetadata, empty[metav1.PartialObjectMetadata], ownedTrimmer}
	deviceClaims = collection{"resource.k8s.io", "v1", "resourceclaims", acceptObjects, empty[resourcev1.ResourceClaim], nil}
)

func empty[T any, P interface {
	*T
	wire.Object
}]() wire.Object {
	return P(new(T))
}

func (r collection) path(namespace string) string {
	root := "/api/" + r.version
	if r.group != "" {
		root = "/apis/" + r.group + "/" + r.version
	}
	if namespace != "" {
		root += "/namespaces/" + namespace
	}
	return root + "/" + r.resource
}

// String names the collection as kubectl does: pods, replicasets.apps.
func (r collection) String() string {
	if r.group == "" {
		return r.resource
	}
	return r.resource + "." + r.group
}

// list hands every item of the collection to visit, trimmed: of all namespaces,
// or of the one named. Before it begins, and again whenever it has to begin
// anew, it calls reset, which drops what was visited.
func (c *Client) list(ctx context.Context, r collection, namespace string, reset func(), visit func(item []byte) error) error {
	reset()
	token := ""
	for restarts := 0; ; {
		next, err := c.page(ctx, r, namespace, token, visit)
		switch {
		case err == nil && next == "":
			return nil
		case err == nil:
			token = next
		case (apierrors.IsResourceExpired(err) || apierrors.IsGone(err)) && restarts < maxRestarts:
			restarts++
			token = ""
			reset()
		default:
			return c.explain(r, namespace, err)
		}
	}
}

// page reads one answer, which may be the whole list.
func (c *Client) page(ctx context.Context, r collection, namespace, token string, visit func(item []byte) error) (next string, err error) {
	request := c.rest.Get().AbsPath(r.path(namespace)).SetHeader("Accept", r.accept).
		Param("limit", strconv.Itoa(pageSize)).MaxRetries(maxRetries)
	if token == "" {
		request = request.Param("resourceVersion", "0") // from the watch cache, where there is one
	} else {
		request = request.Param("continue", token)
	}
	body, err := request.Stream(ctx)
	if err != nil {
		return "", err
	}
	defer body.Close()
	var trimmed []byte
	next, err = wire.Split(body, r.empty, func(item []byte) (err error) {
		if r.trimmer != nil {
			if trimmed, err = r.trimmer.Trim(trimmed[:0], item); err != nil {
				return err
			}
			item = trimmed
		}
		return visit(item)
	})
	if err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(body, 4<<10)) // so that the connection can be used again
	return next, err
}

// explain says what failed and what the reader can do about it.
func (c *Client) explain(r collection, namespace string, err error) error {
	what := "listing " + r.String()
	if namespace != "" {
		what += " in namespace " + namespace
	}
	var transport *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, context.Canceled)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w: the account lacks the verb list on %s; apply the ClusterRole of deploy/cronjobs: "+
			"kubectl apply -k deploy/cronjobs", what, err, r)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: %w: API server %s does not accept the credentials; check them with: kubectl auth whoami",
			what, err, c.host)
	case errors.As(err, &transport):
		// The URL is left out: it says nothing that the collection and the host do not.
		return fmt.Errorf("%s: API server %s does not answer: %w; check its address in the kubeconfig, "+
			"and in a pod that the NetworkPolicy allows egress to it", what, c.host, transport.Err)
	}
	return fmt.Errorf("%s: API server %s: %w", what, c.host, err)
}

// decodePod decodes a pod and reduces it.
func decodePod(item []byte) (d *usage.PodDetail, facts rows.Facts, err error) {
	var pod corev1.Pod
	if err := decode(item, &pod); err != nil {
		return nil, rows.Facts{}, err
	}
	d, facts = rows.Pod(&pod)
	return d, facts, nil
}

// decode decodes an item of a list.
func decode(item []byte, into interface {
	metav1.Object
	Unmarshal([]byte) error
}) error {
	if err := into.Unmarshal(item); err != nil {
		return fmt.Errorf("decoding a %T, %s: %w", into, path.Join(into.GetNamespace(), into.GetName()), err)
	}
	return nil
}
