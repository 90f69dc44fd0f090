package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/company/k8s-resource-monitor/internal/bucket"
)

// conflictCodes are the answers to one of two simultaneous conditional Puts, which the client is to repeat.
var conflictCodes = []string{"ConditionalRequestConflict", "OperationAborted"}

// permissions are the IAM actions that each operation needs.
var permissions = map[string]string{
	"get":    "s3:GetObject, and s3:ListBucket to tell a missing object from a forbidden one",
	"put":    "s3:PutObject (and s3:GetObject where the Put has a condition)",
	"delete": "s3:DeleteObject",
	"list":   "s3:ListBucket",
	"abort":  "s3:AbortMultipartUpload",
}

// keyError is the error of one object in the answer to DeleteObjects.
type keyError struct{ code, message string }

func (e *keyError) Error() string                 { return e.code + ": " + e.message }
func (e *keyError) ErrorCode() string             { return e.code }
func (e *keyError) ErrorMessage() string          { return e.message }
func (e *keyError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// errorCode is the error code of the store's answer, such as NoSuchKey; "" if err is not an answer of the store.
func errorCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// status is the HTTP status of the store's answer; 0 if err is not an answer of the store.
func status(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// absent reports whether the store answers that there is no such object. It goes by the code: stores answer 404 for
// other reasons too, such as an unknown access key.
func absent(err error) bool {
	code := errorCode(err)
	return code == "NoSuchKey" || code == "NotFound"
}

// refused reports whether the store refused a Put because of its condition. AWS answers 404 to If-Match if there is no
// object; some stores answer 304.
func refused(err error, options bucket.PutOptions) bool {
	switch status(err) {
	case 304, 409, 412:
		return true
	case 404:
		return options.IfMatch != "" && absent(err)
	}
	return false
}

// where is the bucket's URL with a slash at its end, for messages.
func (b *store) where() string { return "s3://" + b.name + "/" + b.prefix }

// fail makes the error of an operation: what went wrong, with which object, and what to do. It does not include the
// SDK's own error, which is long and may quote the request.
func (b *store) fail(ctx context.Context, op, name string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	where := b.where()
	code := errorCode(err)
	switch {
	case code == "NoSuchBucket":
		return fmt.Errorf("s3://%s: %w; create it or correct --bucket", b.name, bucket.ErrNoBucket)
	case op == "get" && absent(err):
		err = bucket.ErrNotExist
	case code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "ExpiredToken" || code == "InvalidToken":
		err = fmt.Errorf("the store refuses the credentials (%s); "+
			"check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile or the role", code)
	case code == "AccessDenied" || status(err) == 403:
		err = fmt.Errorf("access denied; the job's role needs %s on %s*", permissions[op], where)
	case status(err) == 301 || code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed":
		err = fmt.Errorf("the bucket is in another region%s; set ?region= or AWS_REGION", regionOf(err))
	case code != "":
		err = b.answer(err)
	default:
		err = transportError(err)
	}
	return fmt.Errorf("%s %s%s: %w", op, where, name, err)
}

// answer is the error for any other answer of the store.
func (b *store) answer(err error) error {
	api, _ := errors.AsType[smithy.APIError](err)
	return fmt.Errorf("the store answers %s (%s, status %d)", api.ErrorMessage(), api.ErrorCode(), status(err))
}

// regionOf is ", " and the region in which AWS says that the bucket is; "" if the answer does not tell.
func regionOf(err error) string {
	response, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || response.Response == nil {
		return ""
	}
	if region := response.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
		return ", " + region
	}
	return ""
}

// transportError explains an error that happened before the store answered: no credentials, no network.
func transportError(err error) error {
	if send, ok := errors.AsType[*url.Error](err); ok {
		host := "the store"
		if u, parseErr := url.Parse(send.URL); parseErr == nil {
			host = u.Host
		}
		if send.Timeout() {
			return fmt.Errorf("%s does not answer: %w", host, send.Err)
		}
		return fmt.Errorf("%s cannot be reached: %w; check AWS_ENDPOINT_URL_S3 and the network policy", host, send.Err)
	}
	if operation, ok := errors.AsType[*smithy.OperationError](err); ok {
		err = operation.Err
		if strings.Contains(err.Error(), "credentials") {
			return fmt.Errorf("no usable credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "+
				"or give the job a role: %w", err)
		}
	}
	if canceled, ok := errors.AsType[*aws.RequestCanceledError](err); ok {
		return canceled.Err
	}
	return err
}
