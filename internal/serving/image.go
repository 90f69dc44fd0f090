package serving

import "strings"

// image is what is known of a container image.
type image struct {
	pattern    string   // of its repository, see matchesTail
	engine     *engine  // set from the engine that declares it
	entrypoint *program // serves, so that args alone are its flags; nil: the image starts a shell
}

// images are those of all engines. The first match counts.
var images = func() (all []image) {
	for _, e := range engines {
		for _, i := range e.images {
			i.engine = e
			all = append(all, i)
		}
	}
	return all
}()

// knownImage returns what is known of a repository, nil if nothing.
func knownImage(repo string) *image {
	for i := range images {
		if matchesTail(images[i].pattern, repo) {
			return &images[i]
		}
	}
	return nil
}

// matchesAny reports whether a repository is one of those that the patterns name.
func matchesAny(patterns []string, repo string) bool {
	for _, p := range patterns {
		if matchesTail(p, repo) {
			return true
		}
	}
	return false
}

// repository is an image reference without tag and digest.
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	return ref
}

// matchesTail matches NAME or OWNER/NAME against the last elements of a
// repository. NAME may begin and end with a star.
func matchesTail(pattern, repo string) bool {
	slash := strings.LastIndexByte(repo, '/')
	if owner, name, ok := strings.Cut(pattern, "/"); ok {
		if slash < 0 || repo[strings.LastIndexByte(repo[:slash], '/')+1:slash] != owner {
			return false
		}
		pattern = name
	}
	name := repo[slash+1:]
	rest, openEnd := strings.CutSuffix(pattern, "*")
	rest, openStart := strings.CutPrefix(rest, "*")
	switch {
	case openStart && openEnd:
		return strings.Contains(name, rest)
	case openStart:
		return strings.HasSuffix(name, rest)
	case openEnd:
		return strings.HasPrefix(name, rest)
	}
	return name == rest
}
