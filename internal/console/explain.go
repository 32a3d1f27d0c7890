package console

import (
	"net/http"
	"strings"
)

type explainPage struct {
	Method, Params string // as they were asked for
	Methods        []string
	// Problem is why nothing is explained, "" where something is or was not asked.
	Problem string
	Asked   bool
	Explanation
	Requests []explainRow
}

// explainRow is one request.
type explainRow struct {
	ExplainedRequest
	Number int
	Lines  []string // of the command
	First  bool     // of those that are sent behind the answer
}

// mostParams bounds the parameters that are taken, mostCommand what is shown of a
// line of a command, each in characters.
const mostParams, mostCommand = 4000, 20_000

func (c *console) explain(r *http.Request) (*shownPage, error) {
	q := r.URL.Query()
	p := explainPage{Method: strings.TrimSpace(shown(q.Get("method"), 100)), Params: q.Get("params")}
	p.Methods = c.Methods()
	at := &shownPage{name: "explain", title: "Explain", place: "explain"}
	switch {
	case p.Method == "":
	case len(p.Params) > mostParams:
		p.Problem, p.Params = "These are too many parameters for this page; gateway explain takes more.", ""
	case r.Header.Get("Sec-Fetch-Site") == "cross-site":
		p.Problem = "Another site led here; press Explain."
	default:
		x, err := c.Explain(r.Context(), p.Method, p.Params)
		if err != nil {
			return nil, err
		}
		p.Explanation, p.Asked = x, x.Problem == ""
		p.Problem = shown(x.Problem, 1000)
	}
	p.Params = shown(p.Params, mostParams)
	for _, text := range []*string{&p.Call, &p.Answer, &p.Fault} {
		*text = shown(*text, mostCommand)
	}
	behind := false
	for i, x := range p.Explanation.Requests {
		row := explainRow{ExplainedRequest: x, Number: i + 1, First: x.Behind && !behind}
		for line := range strings.SplitSeq(x.Curl, "\n") {
			row.Lines = append(row.Lines, shown(line, mostCommand))
		}
		behind = behind || x.Behind
		p.Requests = append(p.Requests, row)
	}
	at.content = p
	return at, nil
}
