package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/company/k8s-resource-monitor/internal/yamlfile"
)

// Secret returns the value of the environment variable name, or the content of the file whose path is in the variable
// name_FILE, without white space at its ends. If neither is set, it returns "" and no error. It is an error if both are
// set, or if the file is empty or cannot be read. Errors never contain the secret.
func Secret(env func(string) string, name string) (string, error) {
	value, file := env(name), env(name+"_FILE")
	if file == "" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("both %s and %s_FILE are set; keep one", name, name)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	value = strings.TrimSpace(string(body))
	if value == "" {
		return "", fmt.Errorf("%s_FILE: %s is empty", name, file)
	}
	return value, nil
}

var (
	secretKey   = regexp.MustCompile(`(?i)webhook|token|password|secret|access_?key|credential`)
	secretValue = regexp.MustCompile(`hooks\.slack(-gov)?\.com/|\bxox[a-z](\.[a-z0-9-]+)?-[0-9A-Za-z]|\bxapp-[0-9]|` +
		`\bA[KS]IA[0-9A-Z]{16}\b`)
)

const secretHint = "; set it in the environment as SLACK_WEBHOOK_URL, or the file that holds it as SLACK_WEBHOOK_URL_FILE" +
	" (access to the bucket: the AWS SDK's own variables and files)"

// refuseSecrets returns a fault for each key that names a secret and each value that looks like one, anywhere in the file.
func refuseSecrets(root yamlfile.Value) error {
	var faults []error
	for s, isKey := range root.Scalars() {
		switch {
		case isKey && secretKey.MatchString(s.Text):
			faults = append(faults, s.Fault("%s: a secret does not belong in this file%s", s.Text, secretHint))
		case secretValue.MatchString(s.Text):
			faults = append(faults, s.Fault("a value here is a secret, and a secret does not belong in this file%s", secretHint))
		case hasUser(s.Text):
			faults = append(faults, s.Fault("a URL here contains a user or password, and a secret does not belong in this file%s", secretHint))
		}
	}
	return errors.Join(faults...)
}

func hasUser(s string) bool {
	if !strings.Contains(s, "://") || !strings.Contains(s, "@") {
		return false
	}
	u, err := url.Parse(s)
	return err != nil || u.User != nil
}
