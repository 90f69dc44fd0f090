package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/bucket"
	"github.com/company/k8s-resource-monitor/internal/layout"
)

// SiteFiles are the report site's own files, in the order of writing:
// index.html last. A zero SiteFiles publishes none.
type SiteFiles struct {
	FS    fs.FS
	Names []string
}

// publishSite writes the site's own files when they are not those that this
// job published last, and removes those of two versions ago. A page that is
// open goes on with the files that it came with, whichever cluster's job
// publishes the next ones, so all jobs keep one account of them. It is written
// first and names a version more than is kept, so that a run that was killed
// leaves nothing that the next one does not know.
func (p *Publisher) publishSite(ctx context.Context) (written int, err error) {
	var all strings.Builder
	bodies := make([][]byte, len(p.Site.Names))
	for i, name := range p.Site.Names {
		body, err := fs.ReadFile(p.Site.FS, name)
		if err != nil {
			return 0, err
		}
		bodies[i] = body
		fmt.Fprintf(&all, "%s %s\n", name, contentHash(body))
	}
	digest := contentHash([]byte(all.String()))
	if len(bodies) == 0 || p.State.Site == digest {
		return 0, nil
	}
	var gone []string
	err = p.update(ctx, layout.Object{Tier: layout.Site, Path: "assets/versions.json"}.Name(), func(old []byte) (body []byte, err error) {
		body, gone, err = mergeVersions(old, p.Site.Names)
		return body, err
	})
	if err != nil {
		return written, err
	}
	for i, name := range p.Site.Names {
		options := bucket.PutOptions{CacheControl: revalidate, Gzip: true}
		if strings.HasPrefix(name, "assets/") {
			options.CacheControl = immutable
		}
		if _, err := p.Bucket.Put(ctx, layout.Object{Tier: layout.Site, Path: name}.Name(), bodies[i], options); err != nil {
			return written, err
		}
		written++
	}
	if err := p.Bucket.Delete(ctx, gone...); err != nil {
		return written, err
	}
	p.State.Site = digest
	return written, nil
}

// versionsKept is how many versions of the site have their files in the bucket.
const versionsKept = 2

// mergeVersions puts the files of a version before those in the account, newest
// first, and returns the objects that no version kept has.
func mergeVersions(old []byte, names []string) (account []byte, gone []string, err error) {
	var versions [][]string
	if len(old) > 0 {
		if err := json.Unmarshal(old, &versions); err != nil {
			return nil, nil, fmt.Errorf("not a list of the site's files (%w): delete it, and the next run makes it anew", err)
		}
	}
	versions = slices.DeleteFunc(versions, func(v []string) bool { return slices.Equal(v, names) })
	versions = slices.Insert(versions, 0, names)
	versions = versions[:min(len(versions), versionsKept+1)]
	kept := versions[:min(len(versions), versionsKept)]
	for _, name := range slices.Concat(versions[len(kept):]...) {
		if !slices.ContainsFunc(kept, func(v []string) bool { return slices.Contains(v, name) }) {
			gone = append(gone, layout.Object{Tier: layout.Site, Path: name}.Name())
		}
	}
	account, err = json.Marshal(versions)
	return account, gone, err
}
