package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/company/k8s-resource-monitor/internal/kube/rows"
	"github.com/company/k8s-resource-monitor/internal/usage"
)

// ReadPods reads pods as kubectl prints them: YAML or JSON, one document or
// several, each a Pod, a PodList or a List of pods. Owners are the pods' own
// controllers, since no server is asked who owns these.
func ReadPods(r io.Reader) ([]*usage.PodDetail, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(r, 4<<10)
	var pods []*usage.PodDetail
	for n := 1; ; n++ {
		var document json.RawMessage
		err := decoder.Decode(&document)
		if err == io.EOF {
			return pods, nil
		}
		if err == nil && len(document) > 0 && string(document) != "null" {
			pods, err = readDocument(document, pods)
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w; give pods as kubectl get pods -o json prints them", n, err)
		}
	}
}

// hugeExponent matches values in JSON that are quantities of exponents with more
// than three digits: the library would compute with them for hours.
var hugeExponent = regexp.MustCompile(`[:"\s][+-]?[0-9.]+[eE][+-]?[0-9]{4,}[",}\]\s]`)

var errHugeExponent = errors.New("a quantity has an exponent of more than three digits")

func readDocument(document json.RawMessage, pods []*usage.PodDetail) ([]*usage.PodDetail, error) {
	if hugeExponent.Match(document) { // of a server's pods it made sure itself
		return nil, errHugeExponent
	}
	var object struct {
		Kind  string
		Items []json.RawMessage
	}
	if err := json.Unmarshal(document, &object); err != nil {
		return nil, err
	}
	switch object.Kind {
	case "Pod":
		d, err := readPod(document)
		if err != nil {
			return nil, err
		}
		return append(pods, d), nil
	case "List", "PodList":
		for _, raw := range object.Items {
			var meta struct{ Kind string }
			if err := json.Unmarshal(raw, &meta); err != nil {
				return nil, err
			}
			if meta.Kind == "" && object.Kind == "PodList" {
				meta.Kind = "Pod" // an API server leaves it out in a typed list
			}
			if meta.Kind != "Pod" {
				return nil, fmt.Errorf("the list holds a %q, not a Pod", meta.Kind)
			}
			d, err := readPod(raw)
			if err != nil {
				return nil, err
			}
			pods = append(pods, d)
		}
		return pods, nil
	case "":
		return nil, errors.New("no kind is given")
	}
	return nil, fmt.Errorf("it is a %q, not a Pod", object.Kind)
}

// Pod reads one pod from the server.
func (c *Client) Pod(ctx context.Context, namespace, name string) (*usage.PodDetail, error) {
	body, err := c.rest.Get().AbsPath(corePods.path(namespace), name).SetHeader("Accept", "application/json").Do(ctx).Raw()
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("pod %s/%s: the cluster at %s has none of this name", namespace, name, c.host)
	}
	if err != nil {
		return nil, c.explain(corePods, namespace, err)
	}
	return readPod(body)
}

// readPod reads a pod in JSON.
func readPod(text []byte) (*usage.PodDetail, error) {
	var pod corev1.Pod
	if err := json.Unmarshal(text, &pod); err != nil {
		return nil, fmt.Errorf("decoding a pod, %s: %w", path.Join(pod.Namespace, pod.Name), err)
	}
	d, _ := rows.Pod(&pod)
	return d, nil
}
