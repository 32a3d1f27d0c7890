package sandbox

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html"
	"net/http"
	"strconv"
)

// members is a JSON object to be sent.
type members = map[string]any

// answer is a complete response, built while the state is locked and written
// after it was released.
type answer struct {
	status int
	header map[string]string
	media  string
	body   []byte
	// field is where a refusal belongs when a dry run must report it as one of
	// its errors.
	field problem
}

// problem is one entry of errors[] (v5 documentation): location is header, path,
// querystring or body, name the path of the field with dots and indexes.
type problem struct {
	Location    string `json:"location"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

const jsonMedia = "application/json; charset=utf-8"

func reply(status int, body any) answer {
	data, err := json.Marshal(body)
	if err != nil {
		return answer{status: http.StatusInternalServerError, media: "text/plain", body: []byte(err.Error())}
	}
	return answer{status: status, media: jsonMedia, body: data}
}

// accepted is the answer to an asynchronous mutation: 202 with a message, and a
// Location where one is known. The real texts are not established.
func accepted(message, location string) answer {
	a := reply(http.StatusAccepted, members{"message": message})
	if location != "" {
		a.header = map[string]string{"Location": location}
	}
	return a
}

// failure is the error envelope (v5 documentation).
func failure(status int, object, cause, message string) answer {
	return reply(status, members{"object": object, "cause": cause, "code": status, "message": message})
}

// invalid is the 400 of a validation with its fifth member (client code).
func invalid(problems []problem) answer {
	return reply(http.StatusBadRequest, members{
		"object": "HTTPBadRequest", "cause": "Bad Request", "code": http.StatusBadRequest,
		"message": "the request is not valid", "errors": problems,
	})
}

// unauthenticated is the one-member 401 of a request without credential (recorded).
func unauthenticated() answer {
	return reply(http.StatusUnauthorized, members{
		"message": "You must provide an access token or an API Key. See https://api.gandi.net/docs/authentication/",
	})
}

// forbidden answers a wrong token and somebody else's resource alike (recorded).
func forbidden() answer {
	return failure(http.StatusForbidden, "HTTPForbidden", "Forbidden", "Access was denied to this resource.")
}

// notFound is the JSON 404 of a routed path (recorded).
func notFound() answer {
	return failure(http.StatusNotFound, "HTTPNotFound", "Not Found", "The resource could not be found.")
}

// conflict is the 409 envelope (recorded for LiveDNS, inferred for domains).
func conflict(cause, message string, field problem) *answer {
	a := failure(http.StatusConflict, "HTTPConflict", cause, message)
	field.Description = message
	a.field = field
	return &a
}

// stateError refuses what the state of a domain does not allow. The domain
// backend passes causes of the v3 vocabulary through (recorded for glue records,
// inferred here).
func stateError(message string) *answer {
	a := failure(http.StatusBadRequest, "OBJECT_DOMAIN", "CAUSE_STATE", message)
	a.field = problem{Location: "path", Name: "domain", Description: message}
	return &a
}

// unrouted is the HTML page for a path without a route (recorded).
func unrouted(method, path string) answer {
	page := fmt.Sprintf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<title>Error</title>\n</head>\n<body>\n<pre>Cannot %s %s</pre>\n</body>\n</html>\n",
		html.EscapeString(method), html.EscapeString(path))
	return answer{status: http.StatusNotFound, media: "text/html; charset=utf-8", body: []byte(page)}
}

// write sends the answer with the headers that recorded answers carry.
func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Server", "nginx")
	h.Set("Cache-Control", "max-age=0, must-revalidate, no-cache, no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Strict-Transport-Security", "max-age=15768000")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding, Accept-Language")
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.media != "" {
		h.Set("Content-Type", a.media)
	}
	if a.status == http.StatusOK && a.media == jsonMedia {
		sum := fnv.New64a()
		sum.Write(a.body)
		h.Set("ETag", `W/"`+strconv.FormatUint(sum.Sum64(), 36)+`"`)
	}
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}
